mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name              = "taxi-duration"
  github_repository = "owner/taxi-duration"
  state_bucket_arn  = "arn:aws:s3:::taxi-duration-state-123456789012"
  repository_arns   = ["arn:aws:ecr:us-east-2:123456789012:repository/taxi-duration/mage"]
}

run "each_role_is_taken_by_one_kind_of_workflow" {
  command = plan

  module {
    source = "./modules/delivery"
  }

  assert {
    condition = local.subjects == {
      plan       = "repo:owner/taxi-duration:pull_request"
      push       = "repo:owner/taxi-duration:ref:refs/heads/main"
      training   = "repo:owner/taxi-duration:environment:training"
      staging    = "repo:owner/taxi-duration:environment:staging"
      production = "repo:owner/taxi-duration:environment:production"
    }
    error_message = "Pull requests plan, main pushes, an environment deploys itself."
  }

  assert {
    condition     = keys(aws_iam_role.deploy) == ["production", "staging"] && length(aws_iam_openid_connect_provider.github) == 1
    error_message = "A role for each environment, by GitHub's own tokens."
  }
}

run "an_account_has_one_provider" {
  command = plan

  variables {
    existing_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  }

  module {
    source = "./modules/delivery"
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "The one that is there is used."
  }
}

run "a_wildcard_is_no_repository" {
  command = plan

  variables {
    github_repository = "owner/*"
  }

  module {
    source = "./modules/delivery"
  }

  expect_failures = [var.github_repository]
}
