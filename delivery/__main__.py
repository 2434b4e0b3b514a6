"""`python -m delivery push | plan | deploy`: what the workflows call, by way of make."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from delivery.errors import DeliveryError, ReturnedError, StrandedError
from delivery.function import release
from delivery.images import NAMES, push, read
from delivery.provision import provision
from delivery.rollout import Steps, roll_out
from delivery.summary import plan_comment, summarize
from delivery.terraform import Terraform

ROOT: Final = Path(__file__).resolve().parents[1]
INFRASTRUCTURE: Final = ROOT / "infrastructure"


def smoke(url: str) -> None:
    """Ask the service as `make smoke` does."""
    if subprocess.run(["make", "smoke", f"URL={url}"], cwd=ROOT, check=False).returncode:
        raise DeliveryError(f"The smoke test of {url} failed.")


def deploy(environment: str, images: dict[str, str], folder: Path = INFRASTRUCTURE) -> None:
    """Bring images to an environment."""
    terraform = Terraform(folder, environment)
    terraform.init()
    roll_out(Steps(terraform, provision, release, smoke, print), images)


def plan(environment: str, folder: Path = INFRASTRUCTURE) -> str:
    """What the code would change there with the images that it has."""
    terraform = Terraform(folder, environment)
    terraform.init()
    images = terraform.outputs().get("images")
    if not images:
        return (
            f"### Terraform in {environment}: never applied, so there is nothing to compare with\n"
        )
    return plan_comment(environment, terraform.plan(images))


def main() -> None:
    """Exit with 1 and say so on the run's page where a delivery failed, whatever became of it."""
    given = _arguments()
    try:
        if given.command == "push":
            given.output.write_text(json.dumps(push(given.registry, given.tag, given.names)))
        elif given.command == "plan":
            given.output.write_text("\n".join(plan(each) for each in given.environments))
        else:
            deploy(given.environment, read(given.images))
            summarize(f"**{given.environment}** serves with these images, and answered.")
    except DeliveryError as error:
        kinds: dict[type, str] = {ReturnedError: "went back", StrandedError: "is stranded"}
        summarize(f"**{given.command} {kinds.get(type(error), 'failed')}**: {error}")
        sys.exit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m delivery", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    pushing = commands.add_parser("push", help="push the built images")
    pushing.add_argument("output", type=Path, help="file for the digests, as JSON")
    pushing.add_argument("names", nargs="*", default=NAMES)
    pushing.add_argument(
        "--registry",
        default=os.environ.get("IMAGE_REGISTRY"),
        required="IMAGE_REGISTRY" not in os.environ,
    )
    pushing.add_argument("--tag", required=True)
    planning = commands.add_parser("plan", help="say what Terraform would change")
    planning.add_argument("output", type=Path, help="file for the comment")
    planning.add_argument("environments", nargs="+")
    deploying = commands.add_parser("deploy", help="bring images to an environment")
    deploying.add_argument("environment")
    deploying.add_argument("images", type=Path, help="file with the digests, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
