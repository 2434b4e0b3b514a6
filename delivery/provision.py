"""The task that makes databases and roles, run once in ECS before the servers are replaced."""

from collections.abc import Mapping
from typing import Any, Final

import boto3
from botocore.exceptions import WaiterError

from delivery.errors import DeliveryError

# Ten minutes: the image is fetched, and a new Postgres may take its time.
POLL_SECONDS: Final = 6
POLLS: Final = 100


def provision(
    outputs: Mapping[str, Any], *, poll_seconds: float = POLL_SECONDS, polls: int = POLLS
) -> None:
    """Run the task that the outputs name to its end; nothing where the instance does it itself."""
    task = outputs.get("provision_task")
    if not task:
        return
    ecs, cluster = boto3.client("ecs"), outputs["cluster"]
    answer = ecs.run_task(
        cluster=cluster,
        taskDefinition=task["task_definition"],
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": task["subnets"],
                "securityGroups": task["security_groups"],
                "assignPublicIp": "DISABLED",
            }
        },
    )
    if answer["failures"] or not answer["tasks"]:
        reasons = ", ".join(failure.get("reason", "?") for failure in answer["failures"])
        raise DeliveryError(f"The provision task was not started: {reasons or 'no reason given'}.")
    number = answer["tasks"][0]["taskArn"]
    waiter = ecs.get_waiter("tasks_stopped")
    try:
        waiter.wait(
            cluster=cluster,
            tasks=[number],
            WaiterConfig={"Delay": poll_seconds, "MaxAttempts": polls},
        )
    except WaiterError as error:
        raise DeliveryError(f"The provision task {number} did not end: {error}.") from error
    raise_if_it_failed(ecs.describe_tasks(cluster=cluster, tasks=[number])["tasks"][0])


def raise_if_it_failed(task: Mapping[str, Any]) -> None:
    """Every container has to have ended with 0; one that never started has no code."""
    failed = [each for each in task["containers"] if each.get("exitCode") != 0]
    if failed:
        how = ", ".join(
            f"{each['name']}: {each.get('exitCode', each.get('reason', 'never started'))}"
            for each in failed
        )
        raise DeliveryError(
            f"The provision task failed ({task.get('stoppedReason', 'no reason')}; {how})."
            " Its log group ends in /provision."
        )
