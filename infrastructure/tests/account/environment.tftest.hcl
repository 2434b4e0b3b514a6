# The root: names derive from one variable, and the variables that choose choose. Passwords are
# ephemeral, which Terraform's mocks do not know, so these plans need an account to ask: moto's, as
# tests/infrastructure gives it.
variables {
  name            = "taxi-duration-staging"
  domain          = "staging.taxi.example.com"
  certificate_arn = "arn:aws:acm:us-east-2:123456789012:certificate/1"
  images = {
    mlflow      = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/mlflow@sha256:0000000000000000000000000000000000000000000000000000000000000001"
    mage        = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/mage@sha256:0000000000000000000000000000000000000000000000000000000000000002"
    web-service = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/web-service@sha256:0000000000000000000000000000000000000000000000000000000000000003"
    grafana     = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/grafana@sha256:0000000000000000000000000000000000000000000000000000000000000004"
    lambda      = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/lambda@sha256:0000000000000000000000000000000000000000000000000000000000000005"
  }
}

run "names_derive_from_one_and_what_is_chosen_is_made" {
  command = plan

  variables {
    github_repository = "owner/taxi-duration"
    lambda            = true
    budget_usd        = 100
    alarm_mail        = "alarms@example.com"
  }

  assert {
    condition     = toset(keys(module.server)) == toset(["mlflow", "mage", "web-service", "grafana"]) && length(module.provision) == 1
    error_message = "Four servers run; provision is run once."
  }

  assert {
    condition     = length(module.lambda) == 1 && length(module.budget) == 1 && length(module.instance) == 0
    error_message = "The function and the budget were chosen, the instance was not."
  }

  assert {
    condition     = output.bucket == "taxi-duration-staging-data-123456789012"
    error_message = "The bucket is named after the environment and the account."
  }

  assert {
    condition     = output.cluster == "taxi-duration-staging" && output.lambda_function == "taxi-duration-staging"
    error_message = "Cluster and function have the environment's name."
  }

  assert {
    condition     = output.deploy_role_arn == "arn:aws:iam::123456789012:role/taxi-duration-staging-deploy"
    error_message = "The environment's role is bootstrap's."
  }

  assert {
    condition     = output.repositories["web-service"] == "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/web-service"
    error_message = "Repositories are the project's: all environments run the same images."
  }

  assert {
    condition     = output.service_url == "https://service.staging.taxi.example.com" && output.mage_url == "https://mage.staging.taxi.example.com"
    error_message = "Each part has a host name of its own, by TLS."
  }
}

run "instance_makes_no_ecs_and_no_database" {
  command = plan

  variables {
    compute = "instance"
  }

  assert {
    condition     = length(module.instance) == 1 && length(module.lambda) + length(module.budget) == 0
    error_message = "There is one instance, and nothing that was not chosen."
  }

  assert {
    condition     = length(module.cluster) + length(module.server) + length(module.provision) + length(module.database) == 0
    error_message = "Everything is on the instance: no cluster, no server, no RDS."
  }

  assert {
    condition     = toset(keys(module.network.security_groups)) == toset(["balancer", "instance"])
    error_message = "Only what is there has a security group."
  }
}

run "a_tag_is_no_digest" {
  command = plan

  variables {
    images = {
      mlflow      = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/mlflow:latest"
      mage        = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/mage:latest"
      web-service = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/web-service:latest"
      grafana     = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/grafana:latest"
    }
  }

  expect_failures = [var.images]
}

run "a_name_without_an_environment_is_refused" {
  command = plan

  variables {
    name = "taxi"
  }

  expect_failures = [var.name]
}
