output "url" {
  description = "Address of the API."
  value       = aws_apigatewayv2_api.service.api_endpoint
}

output "function" {
  description = "Name of the function, for TAXI_LAMBDA_FUNCTION."
  value       = aws_lambda_function.service.function_name
}

output "function_arn" {
  description = "The function, for the role that delivers models."
  value       = aws_lambda_function.service.arn
}

output "api_id" {
  description = "The API in CloudWatch's metrics."
  value       = aws_apigatewayv2_api.service.id
}
