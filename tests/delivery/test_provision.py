"""The provision task is run in ECS, as moto answers for it, and has to end well."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from delivery.errors import DeliveryError
from delivery.provision import provision, raise_if_it_failed


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")
    with mock_aws():
        ec2, ecs = boto3.client("ec2"), boto3.client("ecs")
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
        groups = [group["GroupId"] for group in ec2.describe_security_groups()["SecurityGroups"]]
        ecs.create_cluster(clusterName="taxi")
        ecs.register_task_definition(
            family="taxi-provision",
            networkMode="awsvpc",
            containerDefinitions=[{"name": "provision", "image": "mage", "memory": 512}],
        )
        yield {
            "cluster": "taxi",
            "provision_task": {
                "task_definition": "taxi-provision",
                "subnets": subnets[:2],
                "security_groups": groups[:1],
            },
        }


def test_the_task_runs_once_to_its_end_in_the_network_that_terraform_names(
    outputs: dict[str, Any],
) -> None:
    provision(outputs, poll_seconds=0)
    ecs = boto3.client("ecs")
    tasks = ecs.list_tasks(cluster="taxi")["taskArns"]
    [task] = ecs.describe_tasks(cluster="taxi", tasks=tasks)["tasks"]
    assert (task["launchType"], task["lastStatus"]) == ("FARGATE", "STOPPED")
    details = {each["name"]: each["value"] for each in task["attachments"][0]["details"]}
    assert details["subnetId"] in outputs["provision_task"]["subnets"]


def test_a_task_that_does_not_end_is_told(outputs: dict[str, Any]) -> None:
    with pytest.raises(DeliveryError, match="did not end"):
        provision(outputs, poll_seconds=0, polls=1)


@pytest.mark.parametrize("task", [None, {}])
def test_an_instance_makes_its_databases_itself(task: dict[str, Any] | None) -> None:
    provision({"provision_task": task})


def container(**ending: object) -> dict[str, Any]:
    return {"stoppedReason": "it ended", "containers": [{"name": "provision", **ending}]}


def test_a_task_that_ends_with_zero_is_fine() -> None:
    raise_if_it_failed(container(exitCode=0))


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ({"exitCode": 3}, "provision: 3"),
        ({"reason": "no image"}, "no image"),
        ({}, "never started"),
    ],
)
def test_a_task_that_failed_or_never_started_says_how(ending: dict[str, Any], told: str) -> None:
    with pytest.raises(DeliveryError, match=told):
        raise_if_it_failed(container(**ending))
