# What an apply brought, once all of it is there: `make deploy` goes back to these images where later
# ones fail. An output of the variable itself would change with an apply that fails half-way.
resource "terraform_data" "delivered" {
  input      = var.images
  depends_on = [module.server, module.lambda, module.instance]
}

output "images" {
  description = "The images that the last complete apply brought, by name."
  value       = terraform_data.delivered.output
}
