"""Have the Lambda function answer with the image that Terraform has just given it."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import boto3

from delivery.errors import DeliveryError

ROOT: Final = Path(__file__).resolve().parents[1]
KEEP_MODEL: Final = (".venv/bin/taxi", "deploy", "lambda", "--keep-model")


def release(outputs: Mapping[str, Any], command: tuple[str, ...] = KEEP_MODEL) -> str | None:
    """Publish the function with its model and its new image, and move the alias there.

    Returns the address to ask; None where there is no function, or where it has no model yet, so
    that nobody can be asking it.
    """
    name = outputs.get("lambda_function")
    if not name or not _has_model(name):
        return None
    function = {
        "TAXI_LAMBDA_FUNCTION": name,
        "TAXI_S3_BUCKET": outputs["bucket"],
        "TAXI_S3_REGION": os.environ.get("AWS_REGION", ""),
    }
    if subprocess.run(command, cwd=ROOT, check=False, env=os.environ | function).returncode:
        raise DeliveryError(f"The function {name} does not answer with the new image.")
    return str(outputs["lambda_url"])


def _has_model(name: str) -> bool:
    configured = boto3.client("lambda").get_function_configuration(FunctionName=name)
    return "TAXI_MODEL_FOLDER" in configured.get("Environment", {}).get("Variables", {})
