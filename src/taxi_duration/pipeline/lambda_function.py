"""A Lambda function whose callers use its alias `live`, as `deliver` needs it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from taxi_duration.errors import DeliveryError, SettingsError
from taxi_duration.settings import Settings

ALIAS: Final = "live"
LATEST: Final = "$LATEST"
MODEL_FOLDER: Final = "TAXI_MODEL_FOLDER"
# An alias's description, of at most 256 characters, keeps the way back.
_FORMERS: Final = "Former function versions: "
_MOST_FORMERS: Final = 20
# A change of the configuration takes seconds, one that also fetches an image a minute or two.
_WAIT: Final = {"Delay": 2, "MaxAttempts": 150}


class Live(NamedTuple):
    """What the alias says: the function version, and those it had before, the latest first."""

    version: str
    formers: tuple[str, ...]
    # By which AWS tells that somebody else has moved it meanwhile.
    revision: str


class LambdaFunction:
    """One function; whatever AWS refuses is a DeliveryError that says what was tried."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The settings' function, with the keys or role that AWS's default chain finds.

        Raises SettingsError where none is named.
        """
        if not settings.lambda_function:
            raise SettingsError(
                "TAXI_LAMBDA_FUNCTION is not set.", "Name the function that models go to."
            )
        # A prediction changes nothing, so an invocation may be tried again.
        limits = Config(connect_timeout=5, read_timeout=90, retries={"total_max_attempts": 4})
        client = boto3.client("lambda", region_name=settings.s3_region, config=limits)
        return cls(client, settings.lambda_function)

    def model_folder(self, version: str = LATEST) -> str | None:
        """The model that a function version is configured with; None: none."""
        return self._variables(version).get(MODEL_FOLDER)

    def set_model_folder(self, folder: str | None) -> None:
        """Configure what is published next; returns when that is done."""
        self._wait("function_updated_v2")
        variables = self._variables(LATEST)
        if folder == variables.get(MODEL_FOLDER):
            return
        others = {name: value for name, value in variables.items() if name != MODEL_FOLDER}
        wanted = {**others, MODEL_FOLDER: folder} if folder else others
        with self._errors("configuring it"):
            self._client.update_function_configuration(
                FunctionName=self.name, Environment={"Variables": wanted}
            )
        self._wait("function_updated_v2")

    def publish(self, description: str) -> str:
        """Make a function version, which never changes again, and return its number.

        Without a change since the last one that is the number of the last one.
        """
        with self._errors("publishing a version"):
            made = self._client.publish_version(FunctionName=self.name, Description=description)
        version = str(made["Version"])
        self._wait("published_version_active", Qualifier=version)
        return version

    def invoke(self, version: str, event: dict[str, Any]) -> Any:
        """What a function version answers to an event."""
        with self._errors(f"invoking version {version}"):
            called = self._client.invoke(
                FunctionName=self.name, Qualifier=version, Payload=json.dumps(event).encode()
            )
            payload: bytes = called["Payload"].read()
        answer = _decoded(payload)
        if "FunctionError" in called:
            cause = answer.get("errorMessage") if isinstance(answer, dict) else None
            raise DeliveryError(
                f"Version {version} of the function {self.name} failed: {cause or answer}",
                "Its log in CloudWatch tells more.",
            )
        return answer

    def live(self) -> Live | None:
        """The function version that callers get; None where there is no such alias yet."""
        with self._errors(f"reading the alias {ALIAS}"):
            try:
                found = self._client.get_alias(FunctionName=self.name, Name=ALIAS)
            except self._client.exceptions.ResourceNotFoundException:
                return None
        told = re.search(rf"{_FORMERS}([\d, ]+)", found.get("Description", ""))
        formers = tuple(told[1].split(", ")) if told else ()
        return Live(str(found["FunctionVersion"]), formers, str(found["RevisionId"]))

    def move(self, before: Live | None, version: str, formers: tuple[str, ...]) -> None:
        """Give all callers a function version; refused where the alias moved since `before`."""
        kept = ", ".join(formers[:_MOST_FORMERS])
        wanted = {
            "FunctionName": self.name,
            "Name": ALIAS,
            "FunctionVersion": version,
            "Description": f"{_FORMERS}{kept}" if kept else "",
        }
        with self._errors(f"moving the alias {ALIAS}"):
            if before:
                # No share of the calls stays with another version.
                whole: dict[str, Any] = {"RoutingConfig": {"AdditionalVersionWeights": {}}}
                self._client.update_alias(**wanted, **whole, RevisionId=before.revision)
            else:
                self._client.create_alias(**wanted)

    def _variables(self, version: str) -> dict[str, str]:
        with self._errors("reading its configuration"):
            found = self._client.get_function_configuration(
                FunctionName=self.name, Qualifier=version
            )
        return dict(found.get("Environment", {}).get("Variables", {}))

    def _wait(self, state: str, **which: str) -> None:
        with self._errors("waiting for AWS"):
            self._client.get_waiter(state).wait(
                FunctionName=self.name, WaiterConfig=dict(_WAIT), **which
            )

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise DeliveryError(
                f"The function {self.name}: {what} failed: {error}{_reason(error)}",
                "See TAXI_LAMBDA_FUNCTION, TAXI_S3_REGION and what the keys or the role are"
                " allowed.",
            ) from error


def _decoded(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode(errors="replace")


def _reason(error: Exception) -> str:
    """What AWS says of an update that it gave up."""
    if not isinstance(error, WaiterError):
        return ""
    answer = error.last_response
    found = answer.get("Configuration", answer)
    return f" {found.get('LastUpdateStatusReason') or found.get('StateReason') or ''}".rstrip()
