"""An environment that Terraform really makes, of nothing but Terraform's own resources."""

import os
import shutil
from pathlib import Path

import pytest

from delivery.terraform import Terraform

MAIN = """
terraform {
  backend "local" {}
}

variable "images" { type = map(string) }
variable "name" { type = string }
variable "further" {
  type    = string
  default = "none"
}

module "provision" {
  source = "./provision"
  image  = var.images.mage
}

resource "terraform_data" "server" {
  input            = var.images
  triggers_replace = var.images

  provisioner "local-exec" {
    command = "test ${var.images.mage} != unhealthy"
  }
}

resource "terraform_data" "delivered" {
  input      = var.images
  depends_on = [terraform_data.server]
}

output "images" { value = terraform_data.delivered.output }
output "service_url" { value = "https://${terraform_data.server.output.mage}.example.com" }
output "provision_task" { value = { task_definition = module.provision.image } }
output "name" { value = var.name }
output "further" { value = var.further }
"""
PROVISION = """
variable "image" { type = string }
resource "terraform_data" "task" { input = var.image }
output "image" { value = terraform_data.task.output }
"""


@pytest.fixture
def terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terraform:
    """Staging, not applied yet."""
    if not shutil.which("terraform"):
        pytest.skip("Terraform is not installed here")
    for name in [name for name in os.environ if name.startswith(("TF_", "TERRAFORM_"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("STATE_BUCKET", raising=False)
    folder = tmp_path / "infrastructure"
    for path, text in {
        "main.tf": MAIN,
        "provision/main.tf": PROVISION,
        "environments/staging.tfvars": 'name = "taxi-staging"\n',
        "environments/staging.s3.tfbackend": f'path = "{tmp_path / "state.tfstate"}"\n',
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    made = Terraform(folder, "staging")
    made.init()
    return made
