"""Who serves, and its history: promotions, rollbacks, two at once, and what fails in between."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from monitored import with_own_database
from registered import logged, own_model, registered, serve
from taxi_duration.errors import DamagedModelError, PromotionError, RegistryError
from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.model_history import Period
from taxi_duration.pipeline.promotion import (
    OUTSIDE,
    UNKNOWN,
    Cause,
    aliases,
    history,
    promote,
    rollback,
)
from taxi_duration.registry.champion import ALIAS, champion
from taxi_duration.registry.client import client
from taxi_duration.registry.versions import holders, register
from taxi_duration.settings import Settings
from taxi_duration.stack.resolved import as_environment
from training_parts import damage

pytestmark = pytest.mark.stack

BY, WHY = "ada@desk", "It is better."


@pytest.fixture
def settings(backends: Settings) -> Settings:
    """A registered model of its own with three versions, of which none serves."""
    own = own_model(backends)
    for _ in range(3):
        registered(own)
    return own


def serving(settings: Settings) -> str:
    holder = champion(settings)
    return holder.version if holder else ""


def told(settings: Settings) -> list[tuple[str, str, str]]:
    """The history of the champion: from, to, by whom."""
    return [(each.former, each.version, each.by) for each in history(settings, ALIAS)]


def ends_where_the_alias_is(settings: Settings) -> bool:
    found = history(settings, ALIAS)
    chained = all(a.version == b.former for a, b in pairwise(found))
    return chained and found[-1].version == serving(settings)


def test_a_promotion_by_hand_is_in_the_history(settings: Settings) -> None:
    assert promote(settings, "2", BY, WHY).version == serving(settings) == "2"
    [period] = history(settings, ALIAS)
    assert (period.former, period.version, period.action) == ("", "2", "promote")
    assert (period.by, period.reason, period.until) == (BY, WHY, None)


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_promotion_by_hand_needs_a_reason(settings: Settings, reason: str) -> None:
    with pytest.raises(PromotionError, match="needs a reason"):
        promote(settings, "2", BY, reason)
    assert serving(settings) == ""


def test_the_champion_cannot_be_promoted_once_more(settings: Settings) -> None:
    promote(settings, "2", BY, WHY)
    with pytest.raises(PromotionError, match="Version 2 serves already"):
        promote(settings, "2", BY, WHY)
    assert told(settings) == [("", "2", BY)]


@pytest.mark.parametrize("written", ["02", " 2"])
def test_a_version_has_one_number_however_it_is_written(settings: Settings, written: str) -> None:
    promote(settings, "1", BY, WHY)
    assert promote(settings, written, BY, WHY).version == "2"
    assert told(settings) == [("", "1", BY), ("1", "2", BY)]
    with pytest.raises(PromotionError, match="Version 2 serves already"):
        promote(settings, written, BY, WHY)
    assert rollback(settings, BY, WHY).version == serving(settings) == "1"


def test_a_version_of_another_source_is_promoted_only_when_told_to(settings: Settings) -> None:
    promote(settings, "1", BY, WHY)
    other = registered(settings, "files").version
    with pytest.raises(PromotionError, match=r"trained on files trips.*--replace-source"):
        promote(settings, other, BY, WHY)
    assert serving(settings) == "1"
    promote(settings, other, BY, WHY, replace_source=True)
    assert serving(settings) == other


def test_a_version_that_is_not_there_changes_nothing(settings: Settings) -> None:
    promote(settings, "1", BY, WHY)
    with pytest.raises(RegistryError):
        promote(settings, "77", BY, WHY)
    assert ends_where_the_alias_is(settings)


def test_a_version_whose_files_are_damaged_does_not_serve(
    settings: Settings, tmp_path: Path
) -> None:
    promote(settings, "1", BY, WHY)
    torn = logged(settings)
    number = register(settings, torn).version
    damage(client(settings), torn.model_id, tmp_path)
    file = f"models:/{settings.model_name}/{number}/prediction.txt"
    with pytest.raises(DamagedModelError, match=f"^{file} is not the file that was saved"):
        promote(settings, number, BY, WHY)
    assert ends_where_the_alias_is(settings)
    assert serving(settings) == "1"


def test_a_rollback_puts_the_former_champion_back_in_one_step(settings: Settings) -> None:
    for number in ("1", "2", "3"):
        promote(settings, number, BY, WHY)
    assert rollback(settings, BY, "It is slow.").version == serving(settings) == "2"
    assert rollback(settings, BY, "So is this.").version == serving(settings) == "1"
    with pytest.raises(PromotionError, match="no former champion"):
        rollback(settings, BY, WHY)
    last: Period = history(settings, ALIAS)[-1]
    assert (last.action, last.former, last.reason) == ("rollback", "2", "So is this.")


def test_an_alias_that_was_moved_outside_is_noticed(settings: Settings) -> None:
    promote(settings, "1", BY, WHY)
    serve(settings, "3")
    promote(settings, "2", BY, WHY)
    assert told(settings) == [("", "1", BY), ("1", "3", UNKNOWN), ("3", "2", BY)]
    assert history(settings, ALIAS)[1].action == OUTSIDE
    client(settings).delete_registered_model_alias(settings.model_name, ALIAS)
    assert told(settings)[-1] == ("2", "", UNKNOWN)
    assert rollback(settings, BY, WHY).version == "2"


def test_the_champion_from_before_there_was_a_history_is_its_first_row(settings: Settings) -> None:
    serve(settings, "2")
    assert told(settings) == [("", "2", UNKNOWN)]


class CutOffError(Exception):
    pass


def cut_off_after_the_alias_moved(settings: Settings, number: str) -> None:
    with aliases(settings) as held:
        held.promote(number, Cause("promote", BY, WHY, run_id="parent"))
        raise CutOffError


def test_what_was_cut_off_after_the_alias_moved_is_added_by_the_next_command(
    settings: Settings,
) -> None:
    promote(settings, "1", BY, WHY)
    with pytest.raises(CutOffError):
        cut_off_after_the_alias_moved(settings, "2")
    assert serving(settings) == "2"
    found = history(settings, ALIAS)[-1]
    assert (found.former, found.version, found.action) == ("1", "2", "promote")
    assert (found.by, found.reason, found.run_id) == (BY, WHY, "parent")
    assert len(history(settings, ALIAS)) == 2


def test_an_old_word_on_a_version_does_not_explain_what_happened_outside(
    settings: Settings,
) -> None:
    promote(settings, "1", BY, WHY)
    promote(settings, "2", BY, WHY)
    rollback(settings, BY, "No.")
    serve(settings, "2")
    assert told(settings)[-1] == ("1", "2", UNKNOWN)


def test_where_the_history_cannot_be_written_the_alias_stays(backends: Settings) -> None:
    with with_own_database(own_model(backends)) as settings:
        registered(settings)
        registered(settings)
        promote(settings, "1", BY, WHY)
        with connect(settings) as connection:
            connection.execute(
                text("ALTER TABLE monitoring.model_history ADD CHECK (to_version <> '2')")
            )
        with pytest.raises(DBAPIError):
            promote(settings, "2", BY, WHY)
        assert serving(settings) == "1"
        assert ends_where_the_alias_is(settings)


def test_without_mlflow_the_history_is_told_as_far_as_it_is_known(settings: Settings) -> None:
    promote(settings, "1", BY, WHY)
    away = settings.model_copy(update={"mlflow_url": "http://127.0.0.1:24990"})
    assert told(away) == [("", "1", BY)]


def test_many_promotions_and_rollbacks_at_once_leave_one_consistent_state(
    settings: Settings,
) -> None:
    promote(settings, "1", BY, WHY)

    def change(number: str) -> None:
        try:
            if number == "<":
                rollback(settings, "somebody", "No.")
            else:
                promote(settings, number, f"person {number}", WHY)
        except PromotionError:
            pass  # It served already, or there was nothing to go back to.

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(change, ["2", "3", "<", "1", "2", "<"]))
    assert ends_where_the_alias_is(settings)
    assert set(holders(settings)) == {"champion"}


def test_two_processes_that_promote_at_once_leave_one_consistent_state(
    settings: Settings,
) -> None:
    promote(settings, "1", BY, WHY)
    taxi = Path(sys.executable).with_name("taxi")
    environment = {**os.environ, **as_environment(settings)}
    commands = [[taxi, "model", "promote", number, "--reason", number] for number in ("2", "3")]
    running = [
        subprocess.Popen(each, env=environment, stdout=subprocess.PIPE, text=True)
        for each in commands
    ]
    printed = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], printed
    assert ends_where_the_alias_is(settings)
    first, second, third = history(settings, ALIAS)
    assert {second.version, third.version} == {"2", "3"}
    assert (second.reason, third.reason) == (second.version, third.version)
    assert (first.until, second.until) == (second.since, third.since)
