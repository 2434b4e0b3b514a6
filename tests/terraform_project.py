"""A copy of infrastructure/ in which Terraform works, so that the checkout stays as it is."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Where Terraform itself, Debian's packages and machines without a network keep providers.
PLUGIN_FOLDERS = (
    "~/.terraform.d/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/tf-plugins",
    "/opt/terraform/plugins",
)
# What the module `instance` puts on its machine, relative to the repository.
BESIDE = (
    "docker-compose.yml",
    "monitoring/prometheus/containers.yml",
    "web-service/gateway/haproxy.cfg",
)
PROVIDER = "registry.terraform.io/hashicorp/aws"


def plugin_folder() -> Path | None:
    """The folder with the AWS provider: TF_PLUGIN_DIR, or the first known place that has it."""
    named = os.environ.get("TF_PLUGIN_DIR")
    places = [Path(place).expanduser() for place in ([named] if named else PLUGIN_FOLDERS)]
    return next((place for place in places if (place / PROVIDER).is_dir()), None)


@dataclass(frozen=True)
class Terraform:
    """Terraform in one folder, with the environment of one account."""

    folder: Path
    plugins: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A command that runs beside the test; errors are in its output."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TF_", "AWS_"))
        }
        return subprocess.Popen(
            ["terraform", *words],
            cwd=self.folder,
            env={
                **inherited,
                "TF_IN_AUTOMATION": "1",
                "CHECKPOINT_DISABLE": "1",
                **self.environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def tell(self, *words: str) -> tuple[int, str]:
        """How a command ended, and what it said."""
        with self.start(*words) as running:
            said, _ = running.communicate()
        return running.returncode, said

    def run(self, *words: str) -> str:
        """What a command said that has to succeed."""
        code, said = self.tell(*words)
        assert code == 0, f"terraform {' '.join(words)}:\n{said[-6_000:]}"
        return said

    def init(self, *words: str) -> None:
        """Prepare the folder with the provider of this machine."""
        self.run("init", "-no-color", "-input=false", f"-plugin-dir={self.plugins}", *words)

    def outputs(self) -> dict[str, Any]:
        """The outputs by name."""
        shown = json.loads(self.run("output", "-json"))
        return {name: output["value"] for name, output in shown.items()}


def copy(source: Path, target: Path) -> Path:
    """Copy infrastructure/ below `target`, with stand-ins for what an instance is given."""
    made = target / "infrastructure"
    ignored = shutil.ignore_patterns(".terraform", "*.tfstate*")
    shutil.copytree(source, made, ignore=ignored)
    for name in BESIDE:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(f"stands for {name}\n")
    return made
