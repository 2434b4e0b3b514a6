"""Terraform for one environment: its state, its variables, its outputs."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from delivery.errors import DeliveryError

Images = Mapping[str, str]


class Terraform:
    """The configuration in `folder` with the files of `environments/NAME`.

    Two environment variables say what belongs to an installation and is in no file: `STATE_BUCKET`
    names the bucket of the state, and `TERRAFORM_NAME` (such as `TERRAFORM_STAGING`) has further
    variables of Terraform as one JSON object.
    """

    def __init__(self, folder: Path, environment: str) -> None:
        self.folder = folder
        self.environment = environment

    def init(self) -> None:
        """Fetch the providers and the state."""
        backend = [f"-backend-config=environments/{self.environment}.s3.tfbackend"]
        if bucket := os.environ.get("STATE_BUCKET"):
            backend.append(f"-backend-config=bucket={bucket}")
        self._run("init", "-input=false", "-reconfigure", *backend)

    def outputs(self) -> dict[str, Any]:
        """What the environment is; empty where nothing was ever applied."""
        answered: dict[str, Any] = json.loads(self._run("output", "-json", shown=False))
        return {name: output["value"] for name, output in answered.items()}

    def apply(self, images: Images, target: str | None = None) -> None:
        """Bring the environment, or one module with all that it needs, to these images."""
        only = [f"-target={target}"] if target else []
        with self._variables(images) as files:
            self._run("apply", "-input=false", "-auto-approve", "-lock-timeout=10m", *only, *files)

    def plan(self, images: Images) -> str:
        """What an apply would change by the state alone: nothing of AWS is read, nothing locked."""
        with self._variables(images) as files:
            return self._run(
                *("plan", "-input=false", "-no-color", "-refresh=false", "-lock=false", *files),
                shown=False,
            )

    @contextmanager
    def _variables(self, images: Images) -> Iterator[list[str]]:
        further = json.loads(os.environ.get(f"TERRAFORM_{self.environment.upper()}") or "{}")
        with tempfile.TemporaryDirectory() as folder:
            (given := Path(folder) / "given.tfvars.json").write_text(
                json.dumps({**further, "images": dict(images)})
            )
            own = f"environments/{self.environment}.tfvars"
            yield [f"-var-file={own}", f"-var-file={given}"]

    def _run(self, command: str, *options: str, shown: bool = True) -> str:
        done = subprocess.run(
            ["terraform", command, *options],
            cwd=self.folder,
            check=False,
            stdout=None if shown else subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise DeliveryError(f"terraform {command} failed in {self.environment}.")
        return done.stdout or ""
