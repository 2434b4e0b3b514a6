"""`taxi deploy`: a model version brought to where it serves, without building an image."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from taxi_duration.pipeline.delivery import Delivery


@click.group()
def deploy() -> None:
    """Bring a model version to AWS Lambda, or the former one back."""


@deploy.command("lambda")
@click.option(
    "--version",
    "number",
    metavar="N",
    default="champion",
    show_default=True,
    help="Which version of the model.",
)
@click.option("--rollback", is_flag=True, help="Instead: what answered before, image and model.")
@click.option("--keep-model", is_flag=True, help="Instead: a new image with the model it has.")
def to_lambda(number: str, *, rollback: bool, keep_model: bool) -> None:
    """Let the Lambda function answer with a version, once it has answered its golden trips."""
    from taxi_duration.pipeline.delivery import deliver, release_image, take_back
    from taxi_duration.pipeline.lambda_function import LambdaFunction
    from taxi_duration.settings import load_settings

    if (number != "champion") + rollback + keep_model > 1:
        raise click.UsageError("Only one of --version, --rollback and --keep-model can be meant.")
    settings = load_settings()
    function = LambdaFunction.from_settings(settings)
    if rollback:
        done = take_back(settings, function)
    elif keep_model:
        done = release_image(settings, function)
    else:
        done = deliver(settings, function, "" if number == "champion" else number)
    click.echo(_told(done))
    if done.former_model and done.former != done.version and not rollback:
        click.echo("The way back: taxi deploy lambda --rollback")


def _told(done: "Delivery") -> str:
    serves = (
        f"Version {done.model.version} of {done.model.name} serves in {done.function}:"
        f" function version {done.version}"
    )
    if done.former == done.version:
        return f"{serves}, as before."
    if done.former:
        return f"{serves}, instead of {done.former} ({done.former_model or 'no model on S3'})."
    return f"{serves}."
