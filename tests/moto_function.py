"""For the tests of deliveries: a function of moto's, whose calls the real function answers."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from lambda_runtime import FunctionFailedError, RuntimeApi, running_function
from moto_parts import REGION, aws
from taxi_duration.errors import DeliveryError
from taxi_duration.pipeline.lambda_function import LambdaFunction

NAME = "taxi-duration-test"
IMAGE = "123456789012.dkr.ecr.us-east-2.amazonaws.com/lambda@sha256:" + "1" * 64


def make_function(url: str, environment: dict[str, str]) -> Any:
    """A function with an image and without a model, on a server that starts no container."""
    httpx.post(f"{url}/moto-api/config", json={"lambda": {"use_docker": False}}).raise_for_status()
    role = aws(url, "iam").create_role(RoleName=NAME, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client = aws(url, "lambda")
    client.create_function(
        FunctionName=NAME,
        PackageType="Image",
        Code={"ImageUri": IMAGE},
        Role=role,
        Environment={"Variables": environment},
    )
    return client


class Warm:
    """Processes of the function, one for each environment, which go on as those of AWS do."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "log"
        self._ends = ExitStack()
        self._running: dict[str, RuntimeApi] = {}

    def invoke(self, environment: dict[str, str], event: Any) -> Any:
        """The answer of the process with this environment, started where there is none."""
        key = json.dumps(environment, sort_keys=True)
        if key not in self._running:
            self._running[key] = self._ends.enter_context(running_function(environment, self._log))
        try:
            return self._running[key].invoke(event)
        except FunctionFailedError:
            del self._running[key]
            raise

    def close(self) -> None:
        """End them all."""
        self._ends.close()


class RealFunction(LambdaFunction):
    """The real function answers, in a process with the environment of the version that is asked."""

    def __init__(self, url: str, warm: Warm) -> None:
        super().__init__(aws(url, "lambda"), NAME)
        self._url = url
        self._warm = warm
        self.invoked: list[str] = []

    def invoke(self, version: str, event: dict[str, Any]) -> Any:
        self.invoked.append(version)
        try:
            answer = self._warm.invoke(self._variables(version), event)
        except FunctionFailedError as failed:
            raise DeliveryError(str(failed)) from failed
        # moto hands it out to the call that comes next.
        queue = f"{self._url}/moto-api/static/lambda-simple/response"
        results = {"results": [json.dumps(answer)], "region": REGION}
        httpx.post(queue, json=results).raise_for_status()
        return super().invoke(version, event)
