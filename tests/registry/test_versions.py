from datetime import UTC, datetime

import pytest

from decided import decided
from registered import logged, own_model, registered
from taxi_duration.errors import RegistryError
from taxi_duration.registry.champion import champion, version
from taxi_duration.registry.client import client
from taxi_duration.registry.versions import (
    Change,
    holders,
    move,
    register,
    told_change,
    versions,
    write_decision,
)
from taxi_duration.settings import Settings

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def settings(backends: Settings) -> Settings:
    return own_model(backends)


def change(alias: str, number: str, former: str = "") -> Change:
    return Change(
        alias=alias,
        former=former,
        version=number,
        action="promote",
        by="ada@desk",
        reason="It is better.",
        at=datetime(2019, 4, 1, tzinfo=UTC),
    )


def test_before_anything_is_registered_there_is_nothing(backends: Settings) -> None:
    empty = own_model(backends)
    assert (holders(empty), versions(empty)) == ({}, [])


def test_a_version_is_registered_once_however_often_it_is_tried(settings: Settings) -> None:
    challenger = logged(settings)
    first, again = register(settings, challenger), register(settings, challenger)
    assert first == again == version(settings, first.version)
    assert (first.run_id, first.source) == (challenger.run_id, "simulated")
    assert first.months == ["2019-01", "2019-02"]
    assert first.metrics == {"mae": 3.6, "coverage_80": 0.8, "floor_mae": 3.7}


def test_a_registered_version_serves_only_once_the_alias_is_moved_to_it(
    settings: Settings,
) -> None:
    new = registered(settings)
    move(settings, change("challenger", new.version))
    assert champion(settings) is None
    move(settings, change("champion", new.version))
    assert champion(settings) == new
    assert holders(settings) == {"challenger": new.version, "champion": new.version}
    move(settings, change("challenger", "", former=new.version))
    assert holders(settings) == {"champion": new.version}


def test_a_version_tells_what_gave_it_the_alias(settings: Settings) -> None:
    new = registered(settings)
    assert told_change(settings, "champion", new.version) is None
    move(settings, change("champion", new.version))
    assert told_change(settings, "champion", new.version) == change("champion", new.version)
    client(settings).set_model_version_tag(
        settings.model_name, new.version, "change.champion", "I did it by hand"
    )
    assert told_change(settings, "champion", new.version) is None


def test_the_decision_is_on_the_version(settings: Settings) -> None:
    new = registered(settings)
    decision = decided(milliseconds=99.0).of_version(new.version)
    write_decision(settings, decision, "Words.")
    stored = client(settings).get_model_version(settings.model_name, new.version)
    assert stored.tags["decision"] == "refused"
    assert stored.tags["reason"] == "One trip takes 99.00 ms; at most 20 ms are allowed."
    assert stored.tags["gate.gain"] == "0.1"
    assert stored.tags["gate.rival"] == "champion 2"
    assert stored.description == f"**Refused.** {decision.reason}\n\nWords."


def test_all_versions_are_listed_with_aliases_and_decision(backends: Settings) -> None:
    settings = own_model(backends)
    first, second = registered(settings), registered(settings, "files")
    write_decision(settings, decided().of_version(second.version), "")
    move(settings, change("champion", second.version))
    later, earlier = versions(settings)
    assert (later.version, earlier.version) == (second.version, first.version)
    assert (later.aliases, earlier.aliases) == (["champion"], [])
    assert (later.source, later.decision, later.gate["mae"]) == ("files", "promoted", "3.6")
    assert (earlier.decision, earlier.gate) == ("", {})


def test_a_version_that_is_not_there_gets_no_alias(settings: Settings) -> None:
    before = holders(settings)
    with pytest.raises(RegistryError):
        move(settings, change("champion", "777"))
    assert holders(settings) == before
