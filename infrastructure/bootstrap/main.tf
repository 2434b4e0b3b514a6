# Once in an account, by a person: what has to be there before an environment can be made. That is the
# bucket of Terraform's state, the images' repositories (the same image goes to staging, then to
# production) and the roles that GitHub's workflows take.

module "state" {
  source           = "../modules/storage"
  name             = var.name
  purpose          = "state"
  old_version_days = 365
  deletable        = var.deletable
}

module "registry" {
  source    = "../modules/registry"
  name      = var.name
  deletable = var.deletable
}

module "delivery" {
  source                = "../modules/delivery"
  count                 = var.github_repository == null ? 0 : 1
  name                  = var.name
  github_repository     = var.github_repository
  environments          = var.environments
  existing_provider_arn = var.existing_provider_arn
  state_bucket_arn      = module.state.bucket_arn
  repository_arns       = values(module.registry.arns)
}
