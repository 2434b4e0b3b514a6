"""docker-compose.yml as it runs: one stack, through all that may happen to it, in this order."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from containers.compose_stack import IMAGES, OWN_IMAGES, ComposeStack
from containers.kept import Kept
from containers.load import TRIP, Load
from containers.times import Times

pytestmark = [pytest.mark.containers, pytest.mark.stack, pytest.mark.timeout(900)]

# Megabytes; the service's is what the specification allows, the others' are a quarter over what
# they take, so that nothing large comes in unseen.
LARGEST = {"web-service": 400, "mlflow": 1_400, "mage": 2_700}
SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|_KEY|CONNECTION_URL|STORE_URI|DATABASE_URL")
# What stops while predictions go on; the gateway is the one that nothing stands beside.
STOPPED = ("web-service", "postgres", "s3", "mlflow", "mage", "city-api", "prometheus")
# Long enough for the service to look for a champion, and to send predictions to Postgres.
AWAY_SECONDS = 4


class Backup(NamedTuple):
    """A backup and what has to be in it."""

    folder: Path
    kept: Kept


@pytest.mark.parametrize("name", OWN_IMAGES)
def test_an_image_is_no_larger_than_it_may_be(built: ComposeStack, name: str) -> None:
    [image] = built.inspect(f"{IMAGES}/{name}:local")
    assert image["Size"] < LARGEST[name] * 1e6


@pytest.mark.parametrize("name", OWN_IMAGES)
def test_neither_history_nor_settings_of_an_image_hold_a_secret(
    built: ComposeStack, name: str
) -> None:
    tag = f"{IMAGES}/{name}:local"
    history = built.run("docker", "history", "--no-trunc", "--format", "{{.CreatedBy}}", tag).stdout
    [image] = built.inspect(tag)
    told = history + str(image)
    assert not [key for key, value in built.secrets.items() if value in told]
    for variable in image["Config"]["Env"]:
        assert not SECRET_NAME.search(variable.partition("=")[0]), variable


@pytest.mark.parametrize("name", OWN_IMAGES)
def test_an_image_runs_as_its_own_user_and_holds_neither_tools_that_install_nor_env_files(
    built: ComposeStack, name: str
) -> None:
    script = (
        "id -u; for tool in pip pip3 uv poetry gcc cc make git curl; do command -v $tool; done;"
        " find / -xdev \\( -name '.env*' -o -name .git \\) -not -path '/proc/*' 2>/dev/null; true"
    )
    words = ("run", "--rm", "--read-only", "--entrypoint", "sh", f"{IMAGES}/{name}:local")
    assert built.run("docker", *words, "-c", script).stdout.split() == ["10001"]


def test_every_container_is_read_only_bounded_and_without_rights(stack: ComposeStack) -> None:
    for container in stack.inspect(*stack.containers()):
        host = container["HostConfig"]
        assert host["ReadonlyRootfs"], container["Name"]
        assert host["Memory"], container["Name"]
        assert host["CapDrop"] == ["ALL"], container["Name"]
        assert host["RestartPolicy"]["Name"] != "no", container["Name"]
        assert container["Config"]["User"] not in ("", "root", "0"), container["Name"]


def test_only_the_front_doors_are_published_and_only_to_this_machine(stack: ComposeStack) -> None:
    published = {
        container["Config"]["Labels"]["com.docker.compose.service"]: address["HostIp"]
        for container in stack.inspect(*stack.containers())
        for addresses in container["NetworkSettings"]["Ports"].values()
        for address in addresses or []
    }
    assert published == dict.fromkeys(("gateway", "mlflow", "mage", "prometheus"), "127.0.0.1")


def test_the_first_run_left_a_champion_that_answers_through_the_gateway(
    stack: ComposeStack,
) -> None:
    model = stack.get("SERVICE", "/model").json()
    assert (model["version"], model["source"]) == ("1", "simulated")
    response = httpx.post(f"{stack.url('SERVICE')}/predict", json=TRIP, trust_env=False)
    answer = response.raise_for_status().json()
    assert 5 < answer["lower"] <= answer["prediction"] <= answer["upper"] < 90


def test_the_first_run_left_figures_and_a_report(stack: ComposeStack) -> None:
    kept = Kept.of(stack)
    assert kept.figures
    assert {"drift.html", "drift.json"} <= {
        line.split("\t")[0].rpartition("/")[2] for line in kept.objects
    }


def test_mlflow_and_mage_tell_nothing_to_whoever_does_not_sign_in(stack: ComposeStack) -> None:
    assert (
        stack.get("MLFLOW", "/api/2.0/mlflow/experiments/search?max_results=5").status_code == 401
    )
    wrong = stack.get("MLFLOW", "/", auth=("admin", "password1234"))
    assert wrong.status_code == 401
    assert stack.mlflow("runs/search", experiment_ids=["1"])["runs"]
    answer = stack.get("MAGE", "/api/pipelines").json()
    assert "pipelines" not in answer
    assert answer["error"]["code"] == 403 or answer["error"]["code"] == 401
    sign_in = {"session": {"email": "admin@admin.com", "password": "admin"}}
    session = httpx.post(f"{stack.url('MAGE')}/api/sessions", json=sign_in, trust_env=False)
    assert "error" in session.json()


def test_each_of_three_replicas_answers_behind_one_port(
    stack: ComposeStack, load: Load, times: Times
) -> None:
    replicas = stack.containers("web-service")
    assert len(replicas) == 3
    with load.going_on():
        wait_for(lambda: len(load.answered) > 60)
    assert not load.failed
    answered = [answers_of(stack, replica) for replica in replicas]
    times.note(f"          three replicas answered {answered}")
    assert all(answered)
    wait_for(lambda: len(scraped(stack)) == 3)


@pytest.mark.parametrize("service", STOPPED)
def test_predictions_go_on_while_one_container_is_away(
    stack: ComposeStack, load: Load, times: Times, service: str
) -> None:
    container = stack.containers(service)[0]
    before = len(load.answered)
    with load.going_on():
        with times.step(f"{service} stops and stays away {AWAY_SECONDS} s"):
            stack.run("docker", "stop", container)
            time.sleep(AWAY_SECONDS)
        with times.step(f"{service} is healthy again"):
            stack.run("docker", "start", container)
            stack.wait_until_healthy(container)
    assert not load.failed
    assert len(load.answered) > before + AWAY_SECONDS


def test_the_gateway_is_the_one_part_whose_absence_is_felt_and_then_all_is_as_before(
    stack: ComposeStack, load: Load
) -> None:
    container = stack.containers("gateway")
    stack.run("docker", "stop", *container)
    with httpx.Client(trust_env=False) as client:
        assert load.ask(client) is None
        load.failed.clear()
        stack.run("docker", "start", *container)
        stack.wait_until_healthy(*container)
        assert load.ask(client)


def test_every_answer_under_that_load_is_in_the_log_of_predictions(
    stack: ComposeStack, load: Load, times: Times
) -> None:
    wait_for(lambda: set(load.answered) <= logged(stack))
    times.note(f"          {len(load.answered)} predictions asked for, all answered and logged")


def test_no_log_of_a_container_holds_a_secret(stack: ComposeStack) -> None:
    logs = stack.compose("logs", "--no-color")
    assert not [name for name, value in stack.secrets.items() if value in logs]


def test_all_is_there_again_after_everything_was_taken_down(
    stack: ComposeStack, times: Times
) -> None:
    before = Kept.of(stack)
    with times.step("down"):
        stack.compose("down")
    assert not stack.containers()
    with times.step("up again: all containers healthy"):
        stack.up()
        wait_for_model(stack)
    assert before.missing_from(Kept.of(stack)) == {}
    times.note(f"          found again: {before.counts()}")


def test_a_backup_is_not_put_over_what_a_stack_has(stack: ComposeStack, backup: Backup) -> None:
    refused = stack.run("make", "restore", f"BACKUP={backup.folder}", check=False)
    assert refused.returncode
    assert "The stack has data" in refused.stderr
    wait_for_model(stack)


def test_a_damaged_or_unknown_backup_is_refused(
    stack: ComposeStack, backup: Backup, tmp_path: Path
) -> None:
    for change, complaint in DAMAGES.items():
        damaged = tmp_path / change
        shutil.copytree(backup.folder, damaged)
        damage(damaged, change)
        refused = stack.run("make", "restore", f"BACKUP={damaged}", "FORCE=1", check=False)
        assert refused.returncode, change
        assert complaint in refused.stdout + refused.stderr, change
    wait_for_model(stack)


def test_all_is_there_again_after_everything_was_destroyed(
    stack: ComposeStack, backup: Backup, times: Times
) -> None:
    with times.step("destroy: containers and volumes"):
        stack.compose("down", "--volumes", "--timeout", "5")
    with times.step("restore"):
        said = stack.run("make", "restore", f"BACKUP={backup.folder}").stdout
    assert "Restored from" in said
    with times.step("up from the backup: all containers healthy"):
        stack.up()
        wait_for_model(stack)
    assert backup.kept.missing_from(Kept.of(stack)) == {}
    times.note(f"          found again: {backup.kept.counts()}")
    assert stack.get("SERVICE", "/model").json()["version"] == "1"


DAMAGES = {
    "cut": "is damaged",
    "missing": "is damaged",
    "changed": "is damaged",
    "newer": "another version",
    "stranger": "is not a backup",
}


def damage(backup: Path, change: str) -> None:
    """What may happen to a folder on its way."""
    dump = backup / "taxi.dump"
    if change == "cut":
        dump.write_bytes(dump.read_bytes()[:-1])
    elif change == "missing":
        dump.unlink()
    elif change == "changed":
        manifest = backup / "manifest"
        manifest.write_text(manifest.read_text().replace("mlflow", "other"))
    elif change == "newer":
        manifest = backup / "manifest"
        manifest.write_text(manifest.read_text().replace("backup 1", "backup 2"))
    else:
        (backup / "manifest").unlink()


@pytest.fixture(scope="module")
def load(stack: ComposeStack) -> Load:
    """One caller for all tests: what it was ever answered has to be in the log."""
    return Load(stack.url("SERVICE"))


@pytest.fixture(scope="module")
def backup(stack: ComposeStack, times: Times) -> Backup:
    """What `make backup` left, and what there was when it began."""
    kept = Kept.of(stack)
    with times.step("backup"):
        said = stack.run("make", "--no-print-directory", "backup").stdout
    times.note(f"          {said.splitlines()[-1].rpartition('/')[2]}")
    [folder] = Path(stack.environment["BACKUPS"]).iterdir()
    return Backup(folder, kept)


def wait_for(holds: Callable[[], Any], seconds: float = 60) -> None:
    """Until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def wait_for_model(stack: ComposeStack) -> None:
    """Until the service answers with the first run's model."""
    wait_for(lambda: stack.get("SERVICE", "/model").status_code == 200)


def answers_of(stack: ComposeStack, replica: str) -> int:
    """How many predictions a replica has made, by its own count."""
    script = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9696/metrics').read().decode())"
    text = stack.run("docker", "exec", replica, "python", "-c", script).stdout
    counts = re.findall(r"^taxi_predictions_total\{.*\} ([0-9.e+]+)$", text, flags=re.MULTILINE)
    return round(sum(float(count) for count in counts))


def scraped(stack: ComposeStack) -> list[Any]:
    """The replicas that Prometheus reaches."""
    answer = stack.get("PROMETHEUS", "/api/v1/query", params={"query": "up == 1"}).json()
    found: list[Any] = answer["data"]["result"]
    return found


def logged(stack: ComposeStack) -> set[str]:
    """The trips in the log of predictions."""
    return stack.query("taxi", "SELECT trip_id FROM monitoring.predictions")
