"""What docker-compose.yml promises, read from the file: no engine is needed."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

SERVERS = {
    *("postgres", "s3", "mlflow", "mage", "city-api", "web-service", "gateway"),
    *("prometheus", "grafana"),
}
ONCE = {"provision", "first-run"}
# ${NAME}, ${NAME:-default} and ${NAME:?what to do}
VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z0-9_]+)(?:(:[-?])([^}]*))?\}")


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docker-compose.yml").read_text()


@pytest.fixture(scope="module")
def services(text: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)["services"]
    return found


@pytest.fixture(scope="module")
def example(root: Path) -> str:
    return (root / ".env.example").read_text()


def documented(example: str) -> dict[str, str]:
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", example, re.MULTILINE))


def test_the_services_are_those_that_are_described(services: dict[str, Any], root: Path) -> None:
    assert set(services) == SERVERS | ONCE
    page = (root / "docs" / "containers.md").read_text()
    assert [name for name in services if f"| `{name}` |" not in page] == []


def test_what_compose_reads_is_what_the_example_documents(text: str, example: str) -> None:
    used = {name for name, _, _ in VARIABLE.findall(text)}
    assert used == set(documented(example)) - {"COMPOSE_PROFILES"}


def test_a_default_in_the_example_is_the_one_that_counts(text: str, example: str) -> None:
    options = dict(re.findall(r"^#([A-Z][A-Z0-9_]*)=(.*)$", example, re.MULTILINE))
    defaults = {(name, default) for name, kind, default in VARIABLE.findall(text) if kind == ":-"}
    assert defaults == set(options.items())


def test_every_secret_stops_the_start_where_it_is_missing(text: str, example: str) -> None:
    secrets = set(re.findall(r"^([A-Z][A-Z0-9_]*)=$", example, re.MULTILINE))
    uses = [(name, kind, said) for name, kind, said in VARIABLE.findall(text) if name in secrets]
    assert {name for name, _, _ in uses} == secrets
    assert {(kind, said) for _, kind, said in uses} == {(":?", "run `make env`")}


def test_no_secret_is_given_to_a_build(services: dict[str, Any], example: str) -> None:
    secrets = set(re.findall(r"^([A-Z][A-Z0-9_]*)=$", example, re.MULTILINE))
    built = " ".join(str(service.get("build")) for service in services.values())
    assert not [name for name in secrets if name in built]


@pytest.mark.parametrize("name", sorted(SERVERS | ONCE))
def test_every_container_is_kept_small_and_locked(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert service["restart"] == ("unless-stopped" if name in SERVERS else "on-failure:3")
    assert "privileged" not in service
    assert "container_name" not in service


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_every_server_has_a_health_check(services: dict[str, Any], name: str, root: Path) -> None:
    service = services[name]
    dockerfile = service.get("build", {}).get("dockerfile")
    own = dockerfile and "HEALTHCHECK" in (root / dockerfile).read_text()
    assert own or service["healthcheck"]["test"][0] == "CMD"


def test_servers_are_waited_for_until_they_are_healthy(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            once = "service_completed_successfully"
            assert how["condition"] == (once if needed in ONCE else "service_healthy"), name


def test_nothing_is_published_beyond_this_machine_unless_that_is_asked_for(
    services: dict[str, Any],
) -> None:
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(ports) == {"gateway", "mage", "mlflow", "grafana", "prometheus"}
    for published in ports.values():
        assert all(port.startswith("${TAXI_PUBLISH:-127.0.0.1}:$") for port in published)


def test_postgres_and_s3_are_reached_from_their_own_network_alone(
    text: str, services: dict[str, Any]
) -> None:
    networks = yaml.safe_load(text)["networks"]
    assert networks["database"] == networks["storage"] == {"internal": True}
    assert services["postgres"]["networks"] == ["database"]
    assert services["s3"]["networks"] == ["storage"]
    stores = {
        name for name, service in services.items() if "storage" in service.get("networks", [])
    }
    assert stores == {"s3", "provision", "mlflow", "mage", "first-run"}


def test_what_has_to_last_lies_in_named_volumes(text: str, services: dict[str, Any]) -> None:
    kept = {
        mount.split(":")[0]
        for service in services.values()
        for mount in service.get("volumes", [])
        if not mount.startswith("./")
    }
    assert kept == set(yaml.safe_load(text)["volumes"])
    bound = [m for s in services.values() for m in s.get("volumes", []) if m.startswith("./")]
    assert all(mount.endswith(":ro") for mount in bound)


def test_the_profiles_are_core_and_monitoring(services: dict[str, Any]) -> None:
    for name, service in services.items():
        wanted = {"prometheus": {"monitoring"}, "grafana": {"monitoring"}}.get(name, {"core"})
        assert wanted <= set(service["profiles"]) <= {"core", "monitoring"}


def test_a_replica_shares_no_metrics_and_has_no_port_of_its_own(
    services: dict[str, Any], root: Path
) -> None:
    service = services["web-service"]
    assert "ports" not in service
    assert any(mount.startswith("/tmp") for mount in service["tmpfs"])  # noqa: S108
    assert "TAXI_METRICS_FOLDER=/tmp/" in (root / "web-service" / "Dockerfile").read_text()


def test_both_files_of_prometheus_measure_alike(root: Path) -> None:
    folder = root / "monitoring" / "prometheus"
    one, other = (
        yaml.safe_load((folder / name).read_text()) for name in ("prometheus.yml", "containers.yml")
    )
    assert one["global"] == other["global"]
    jobs = [[job["job_name"] for job in file["scrape_configs"]] for file in (one, other)]
    assert jobs[0] == jobs[1]
