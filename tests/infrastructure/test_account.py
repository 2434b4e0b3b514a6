"""An account from nothing to nothing: bootstrap, apply, look, plan, change, lock, destroy.

The account is moto's. What moto does not give back as it was told shows as a difference in every
later plan; each is listed here, and nothing else may differ.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from gunicorn.config import Config

from taxi_duration.stack.ports import is_free
from terraform_project import Terraform, copy

pytestmark = [pytest.mark.terraform, pytest.mark.timeout(900)]

NAME = "taxi-duration-staging"
STATE = "taxi-duration-state-123456789012"
BUCKET = f"{NAME}-data-123456789012"
REPOSITORIES = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration"
PARALLEL = "-parallelism=20"
OF_BOOTSTRAP = ("-var=github_repository=owner/taxi-duration", "-var=deletable=true")
# Type of resource -> attributes that moto forgets or makes up.
FORGOTTEN = {
    "aws_db_parameter_group": {"parameter"},
    "aws_ecs_service": {"availability_zone_rebalancing", "health_check_grace_period_seconds"},
    "aws_lambda_alias": {"function_version"},
    "aws_lambda_function": {
        "image_config",
        "logging_config",
        "qualified_arn",
        "qualified_invoke_arn",
        "version",
    },
    "aws_vpc_security_group_egress_rule": {"description"},
    "aws_vpc_security_group_ingress_rule": {"description"},
}


@dataclass(frozen=True)
class Account:
    """moto as an account in Ohio."""

    environment: dict[str, str]

    def client(self, service: str) -> Any:
        """boto3's client of a service."""
        return boto3.client(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=self.environment["AWS_REGION"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def lists(self, service: str, call: str, key: str) -> list[Any]:
        """All that a listing call of a service shows."""
        client = self.client(service)
        if client.can_paginate(call):
            return [item for page in client.get_paginator(call).paginate() for item in page[key]]
        found: list[Any] = getattr(client, call)()[key]
        return found


@pytest.fixture(scope="module")
def account(plugins: Path) -> Iterator[Account]:
    port = next(port for port in range(21_200, 21_300) if is_free(port, "127.0.0.1"))
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("moto_aws.py")), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    account = Account(
        {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_REGION": "us-east-2",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    )
    wait_for(lambda: not is_free(port, "127.0.0.1"), 60)
    yield account
    server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def folder(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy(root / "infrastructure", tmp_path_factory.mktemp("account"))


@pytest.fixture(scope="module")
def bootstrapping(
    account: Account, plugins: Path, folder: Path
) -> Iterator[tuple[Terraform, Future[tuple[int, str]]]]:
    """The bootstrap's apply, once the state can be stored.

    For its last minute the provider waits for a rule of the bucket, which need not be waited for.
    """
    terraform = Terraform(folder / "bootstrap", plugins, account.environment)
    terraform.init()
    with ThreadPoolExecutor(1) as threads:
        apply = ("apply", "-no-color", "-auto-approve", PARALLEL, *OF_BOOTSTRAP)
        applying = threads.submit(terraform.tell, *apply)
        s3 = account.client("s3")
        wait_for(
            lambda: (
                STATE in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
                and s3.get_bucket_versioning(Bucket=STATE).get("Status") == "Enabled"
            ),
            120,
        )
        yield terraform, applying


@pytest.fixture(scope="module")
def bootstrap(bootstrapping: tuple[Terraform, Future[tuple[int, str]]]) -> Terraform:
    """The bootstrap, applied to its end."""
    terraform, applying = bootstrapping
    code, said = applying.result()
    assert code == 0, said[-6_000:]
    return terraform


@pytest.fixture(scope="module")
def choosing(
    root: Path, account: Account, plugins: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[subprocess.Popen[str]]:
    """Terraform's own tests of the root, which run while an apply waits for moto."""
    apart = copy(root / "infrastructure", tmp_path_factory.mktemp("choosing"))
    terraform = Terraform(apart, plugins, account.environment)
    terraform.init("-backend=false")
    running = terraform.start("test", "-no-color", "-test-directory=tests/account")
    yield running
    running.kill()
    running.wait()
    assert running.stdout
    running.stdout.close()


@pytest.fixture(scope="module")
def staging(
    account: Account, bootstrapping: object, choosing: object, plugins: Path, folder: Path
) -> Terraform:
    """Staging, applied."""
    terraform = Terraform(folder, plugins, account.environment)
    terraform.init(
        "-backend-config=environments/staging.s3.tfbackend", f"-backend-config=bucket={STATE}"
    )
    certificate = account.client("acm").request_certificate(DomainName="*.staging.taxi.example.com")
    write_variables(folder, certificate["CertificateArn"], "a" * 64)
    terraform.run("apply", "-no-color", "-auto-approve", PARALLEL, *variables())
    return terraform


def write_variables(folder: Path, certificate: str, digest: str) -> None:
    images = ["mlflow", "mage", "web-service", "grafana", "lambda"]
    (folder / "moto.tfvars.json").write_text(
        json.dumps(
            {
                "images": {image: f"{REPOSITORIES}/{image}@sha256:{'a' * 64}" for image in images}
                | {"web-service": f"{REPOSITORIES}/web-service@sha256:{digest}"},
                "certificate_arn": certificate,
                "github_repository": "owner/taxi-duration",
                "lambda": True,
                "alarm_mail": "alarms@example.com",
                # moto knows neither autoscaling nor who reads a budget, and its tasks never start.
                "autoscaling": False,
                "budget_usd": 0,
                "wait": False,
            }
        )
    )


def variables() -> tuple[str, ...]:
    return ("-var-file=environments/staging.tfvars", "-var-file=moto.tfvars.json")


def wait_for(come: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < until, f"it did not come within {seconds} s"
        time.sleep(0.2)


def test_the_variables_that_choose_choose(
    choosing: subprocess.Popen[str], staging: Terraform
) -> None:
    said, _ = choosing.communicate()
    assert re.search(r"Success! \d+ passed, 0 failed", said), said


def test_the_bucket_is_private_encrypted_and_versioned(
    account: Account, staging: Terraform
) -> None:
    s3 = account.client("s3")
    assert staging.outputs()["bucket"] == BUCKET
    assert all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    encryption = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]
    [rule] = encryption["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    [statement] = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    rules = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert {rule["ID"] for rule in rules} == {"old-versions", "unfinished-uploads", "reports"}


def test_the_database_is_private_and_encrypted(account: Account, staging: Terraform) -> None:
    [database] = account.lists("rds", "describe_db_instances", "DBInstances")
    assert database["StorageEncrypted"]
    assert not database["PubliclyAccessible"]
    assert database["MasterUserSecret"]["SecretArn"]
    assert not database["DeletionProtection"], "staging can be destroyed"
    [group] = database["DBParameterGroups"]
    assert group["DBParameterGroupName"].startswith(NAME)


def test_the_world_gets_in_by_tls_only(account: Account, staging: Terraform) -> None:
    groups = account.lists("ec2", "describe_security_groups", "SecurityGroups")
    ours = [group for group in groups if group["GroupName"].startswith(NAME)]
    assert len(ours) == 7
    world = [
        (group["GroupName"], rule["FromPort"], rule["ToPort"])
        for group in ours
        for rule in group["IpPermissions"]
        if rule["IpRanges"] or rule["Ipv6Ranges"]
    ]
    assert world == [(f"{NAME}-balancer", 443, 443)]


def test_tasks_run_digests_and_get_secrets_by_name(account: Account, staging: Terraform) -> None:
    ecs = account.client("ecs")
    arns = ecs.list_task_definitions(familyPrefix=NAME)["taskDefinitionArns"] or [
        arn for arn in ecs.list_task_definitions()["taskDefinitionArns"] if NAME in arn
    ]
    assert len(arns) == 5
    for arn in arns:
        task = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        for container in task["containerDefinitions"]:
            assert re.search(r"@sha256:[0-9a-f]{64}$", container["image"])
            for secret in container.get("secrets", []):
                assert secret["valueFrom"].startswith("arn:aws:secretsmanager:"), secret
            said = json.dumps(container.get("environment", []))
            assert "postgresql" not in said


def test_the_service_keeps_a_connection_longer_than_the_balancer(
    root: Path, account: Account, staging: Terraform
) -> None:
    (balancer,) = account.lists("elbv2", "describe_load_balancers", "LoadBalancers")
    read = account.client("elbv2").describe_load_balancer_attributes
    told = read(LoadBalancerArn=balancer["LoadBalancerArn"])["Attributes"]
    (idle,) = [int(one["Value"]) for one in told if one["Key"] == "idle_timeout.timeout_seconds"]
    task = account.client("ecs").describe_task_definition(taskDefinition=f"{NAME}-web-service")
    containers = task["taskDefinition"]["containerDefinitions"]
    told = [one for container in containers for one in container.get("environment", [])]
    (arguments,) = [one["value"] for one in told if one["name"] == "GUNICORN_CMD_ARGS"]
    assert Config().parser().parse_args(arguments.split()).keepalive > idle
    gateway = (root / "web-service" / "gateway" / "haproxy.cfg").read_text()
    assert int(re.findall(r"timeout http-keep-alive (\d+)s", gateway)[0]) > idle


def test_every_role_of_the_environment_keeps_to_the_boundary(
    account: Account, staging: Terraform
) -> None:
    iam = account.client("iam")
    roles = [
        role["RoleName"]
        for role in account.lists("iam", "list_roles", "Roles")
        if role["RoleName"].startswith(f"{NAME}-") and not role["RoleName"].endswith("-deploy")
    ]
    assert len(roles) == 12
    for role in roles:
        boundary = iam.get_role(RoleName=role)["Role"]["PermissionsBoundary"]
        assert boundary["PermissionsBoundaryArn"].endswith(":policy/taxi-duration-boundary")


def test_no_secret_is_in_the_state(account: Account, staging: Terraform) -> None:
    secrets = account.client("secretsmanager")
    values = {
        each["Name"]: secrets.get_secret_value(SecretId=each["ARN"])["SecretString"]
        for each in account.lists("secretsmanager", "list_secrets", "SecretList")
        if each["Name"].startswith(f"{NAME}/")
    }
    assert len(values) == 11
    assert values[f"{NAME}/TAXI_DATABASE_URL"].startswith("postgresql+psycopg2://taxi:")
    assert values[f"{NAME}/TAXI_DATABASE_URL"].endswith(":5432/taxi?sslmode=require")
    passwords = [
        value.split(":")[2].split("@")[0] if "@" in value else value for value in values.values()
    ]
    assert all(re.fullmatch(r"[A-Za-z0-9]{40}", password) for password in passwords)
    assert len(set(passwords)) == len(passwords)
    state = staging.run("state", "pull")
    assert not [password for password in passwords if password in state]


def test_a_second_plan_changes_nothing_and_who_comes_meanwhile_is_refused(
    account: Account, staging: Terraform
) -> None:
    s3 = account.client("s3")
    planning = staging.start("plan", "-no-color", PARALLEL, "-out=again.tfplan", *variables())
    wait_for(
        lambda: s3.list_objects_v2(Bucket=STATE, Prefix="staging.tfstate.tflock")["KeyCount"] > 0,
        60,
    )
    code, said = staging.tell("apply", "-no-color", "-auto-approve", "-refresh=false", *variables())
    assert code == 1
    assert "Error acquiring the state lock" in said
    said, _ = planning.communicate()
    assert planning.returncode == 0, said[-4_000:]
    assert unexpected(json.loads(staging.run("show", "-json", "again.tfplan"))) == []


def unexpected(plan: dict[str, Any]) -> list[tuple[str, list[str], set[str]]]:
    """Changes of a plan that moto's forgetting does not explain: address, actions, attributes."""
    found = []
    for resource in plan["resource_changes"]:
        change = resource["change"]
        if change["actions"] in (["no-op"], ["read"]):
            continue
        before, after, unknown = (
            change["before"] or {},
            change["after"] or {},
            change["after_unknown"],
        )
        changed = {
            name
            for name in {*before, *after, *unknown}
            if before.get(name) != after.get(name) or unknown.get(name) is True
        }
        if change["actions"] != ["update"] or changed - FORGOTTEN.get(resource["type"], set()):
            found.append((resource["address"], change["actions"], changed))
    return sorted(found)


def test_another_digest_changes_that_task_definition_and_its_service(
    account: Account, staging: Terraform, folder: Path
) -> None:
    before = json.loads((folder / "moto.tfvars.json").read_text())
    write_variables(folder, before["certificate_arn"], "b" * 64)
    staging.run("plan", "-no-color", "-refresh=false", "-out=digest.tfplan", *variables())
    changes = unexpected(json.loads(staging.run("show", "-json", "digest.tfplan")))
    server = 'module.server["web-service"]'
    assert [(address, actions) for address, actions, _ in changes] == [
        (f"{server}.aws_ecs_service.server[0]", ["update"]),
        (f"{server}.aws_ecs_task_definition.server", ["create", "delete"]),
        ("terraform_data.delivered", ["update"]),
    ]
    assert "task_definition" in changes[0][2]
    staging.run("apply", "-no-color", "digest.tfplan")
    ecs = account.client("ecs")
    [service] = ecs.describe_services(cluster=NAME, services=["web-service"])["services"]
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    assert task["containerDefinitions"][0]["image"].endswith("@sha256:" + "b" * 64)


def test_a_password_is_made_anew_by_its_number(account: Account, staging: Terraform) -> None:
    secrets = account.client("secretsmanager")

    def value(name: str) -> str:
        found: str = secrets.get_secret_value(SecretId=f"{NAME}/{name}")["SecretString"]
        return found

    before = {name: value(name) for name in ("JWT_SECRET", "MLFLOW_ADMIN_PASSWORD")}
    number = "-var=generations={JWT_SECRET=2}"
    staging.run("apply", "-no-color", "-auto-approve", "-refresh=false", *variables(), number)
    assert value("JWT_SECRET") != before["JWT_SECRET"]
    assert value("MLFLOW_ADMIN_PASSWORD") == before["MLFLOW_ADMIN_PASSWORD"]
    ecs = account.client("ecs")
    revisions = {
        server: ecs.describe_task_definition(taskDefinition=f"{NAME}-{server}")["taskDefinition"]
        for server in ("mage", "mlflow")
    }
    assert {server: task["revision"] for server, task in revisions.items()} == {
        "mage": 2,
        "mlflow": 1,
    }, "who uses it starts anew"


def test_the_policies_of_the_workflows_are_no_longer_than_aws_takes(
    account: Account, staging: Terraform, bootstrap: Terraform
) -> None:
    policies = account.client("iam").list_policies(Scope="Local")["Policies"]
    assert len(policies) == 7
    for policy in policies:
        version = account.client("iam").get_policy_version(
            PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"]
        )
        document = json.dumps(version["PolicyVersion"]["Document"], separators=(",", ":"))
        assert len(document) <= 6_144, policy["PolicyName"]


def test_destroy_leaves_what_bootstrap_made_and_nothing_else(
    account: Account, staging: Terraform
) -> None:
    destroy = ("destroy", "-no-color", "-auto-approve", "-refresh=false", PARALLEL)
    staging.run(*destroy, *variables())
    assert [name for name in left(account) if NAME in name] == [f"{NAME}-deploy"]


def left(account: Account) -> list[str]:
    """Names of what was made and is still there."""
    listings = (
        ("ec2", "describe_security_groups", "SecurityGroups", "GroupName"),
        ("ecr", "describe_repositories", "repositories", "repositoryName"),
        ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerName"),
        ("iam", "list_roles", "Roles", "RoleName"),
        ("lambda", "list_functions", "Functions", "FunctionName"),
        ("logs", "describe_log_groups", "logGroups", "logGroupName"),
        ("rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
        ("s3", "list_buckets", "Buckets", "Name"),
        ("secretsmanager", "list_secrets", "SecretList", "Name"),
        ("sns", "list_topics", "Topics", "TopicArn"),
    )
    names = [
        str(item[name])
        for service, call, key, name in listings
        for item in account.lists(service, call, key)
    ]
    vpcs = account.lists("ec2", "describe_vpcs", "Vpcs")
    names += [f"{NAME}: {vpc['VpcId']}" for vpc in vpcs if not vpc["IsDefault"]]
    ecs = account.client("ecs")
    # A removed cluster can be seen for a while, and says so.
    clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    names += [each["clusterName"] for each in clusters if each["status"] != "INACTIVE"]
    return [name for name in names if "taxi-duration" in name]
