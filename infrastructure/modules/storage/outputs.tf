output "bucket" {
  description = "Name of the bucket for trips, models and reports."
  value       = aws_s3_bucket.this.bucket
}

output "bucket_arn" {
  description = "The same bucket, for policies."
  value       = aws_s3_bucket.this.arn
}
