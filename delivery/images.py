"""Push the images that were built, say by which digest each can be had, and read that again."""

import json
import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from delivery.errors import DeliveryError

NAMES: Final = ("mlflow", "mage", "web-service", "lambda", "grafana")
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
Docker = Callable[..., str]


def docker(*words: str) -> str:
    """What a Docker command prints."""
    done = subprocess.run(["docker", *words], check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise DeliveryError(f"docker {' '.join(words[:2])} failed.")
    return done.stdout.strip()


def push(
    registry: str,
    tag: str,
    names: Iterable[str] = NAMES,
    *,
    built: str = "taxi-duration",
    run: Docker = docker,
) -> dict[str, str]:
    """Push `built/NAME:local` to `registry/NAME:tag`; returns `registry/NAME@sha256:…` by name."""
    return {
        name: _pushed(f"{built}/{name}:local", f"{registry}/{name}", tag, run) for name in names
    }


def read(file: Path) -> dict[str, str]:
    """The images by name, from a file that `push` or a person wrote."""
    try:
        images = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise DeliveryError(
            f"FILE, which names the images as JSON, cannot be read: {error}."
        ) from error
    if not isinstance(images, dict):
        raise DeliveryError(f"{file} is no JSON object with an image for each name.")
    return images


def _pushed(image: str, repository: str, tag: str, run: Docker) -> str:
    run("tag", image, f"{repository}:{tag}")
    run("push", "--quiet", f"{repository}:{tag}")
    known: list[str] = json.loads(run("inspect", "--format", "{{json .RepoDigests}}", image))
    digests = [name for name in known if name.startswith(f"{repository}@")]
    if len(digests) != 1 or not DIGEST.fullmatch(digests[0].partition("@")[2]):
        raise DeliveryError(f"{repository}:{tag} was pushed, but Docker names no digest: {known}.")
    return digests[0]
