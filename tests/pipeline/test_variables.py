from datetime import datetime
from pathlib import Path

import pytest

from taxi_duration.errors import SettingsError
from taxi_duration.pipeline.variables import RunVariables
from taxi_duration.settings import Settings, load_settings
from taxi_duration.trips.months import Month


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path, history_months=4, trips_per_month=900, seed=7)


@pytest.mark.parametrize("empty", ["", None, []])
def test_an_empty_variable_takes_its_setting(settings: Settings, empty: object) -> None:
    names = RunVariables.__struct_fields__
    assert {"month", "search_trials", "execution_date"} <= {*names}
    variables = RunVariables.from_mage(settings, dict.fromkeys(names, empty))
    assert variables == RunVariables(history=4, cap=900, seed=7)


def test_a_missing_variable_takes_its_setting(settings: Settings) -> None:
    assert RunVariables.from_mage(settings, {}) == RunVariables(history=4, cap=900, seed=7)


def test_a_given_variable_wins_over_its_setting(settings: Settings) -> None:
    given = {"month": "2019-03", "history": 1, "cap": 0, "seed": 0, "replace_source": True}
    variables = RunVariables.from_mage(settings, given)
    assert variables == RunVariables(month="2019-03", history=1, cap=0, seed=0, replace_source=True)


def test_text_from_a_form_is_read_as_its_type(settings: Settings) -> None:
    given = {"history": "3", "cap": "6000", "seed": "1", "replace_source": "False"}
    assert RunVariables.from_mage(settings, given) == RunVariables(history=3, cap=6000, seed=1)


def test_nothing_is_searched_unless_it_is_asked_for(settings: Settings) -> None:
    given = {"search_trials": "20", "search_seconds": "90"}
    variables = RunVariables.from_mage(settings, given)
    assert (variables.search_trials, variables.search_seconds) == (20, 90.0)
    variables = RunVariables.from_mage(settings, {})
    assert (variables.search_trials, variables.search_seconds) == (0, 0)


def test_what_else_mage_hands_to_a_block_is_left_alone(settings: Settings) -> None:
    given = {"env": "prod", "event": {}, "logger": object(), "cap": 5}
    assert RunVariables.from_mage(settings, given).cap == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("history", 0),
        ("history", "many"),
        ("cap", -1),
        ("seed", -1),
        ("search_trials", -1),
        ("month", "March 2019"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(
    settings: Settings, name: str, value: object
) -> None:
    with pytest.raises(SettingsError, match=rf"\$\.{name}|{value!r} is no month"):
        RunVariables.from_mage(settings, {name: value})


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        (datetime(2019, 3, 1), Month(2019, 2)),
        (datetime(2019, 3, 31, 23), Month(2019, 2)),
        (datetime(2019, 1, 1), Month(2018, 12)),
    ],
)
def test_the_due_month_was_over_at_the_execution_date(
    settings: Settings, moment: datetime, month: Month
) -> None:
    assert RunVariables.from_mage(settings, {"execution_date": moment}).due_month == month


def test_without_an_execution_date_the_due_month_is_over_now(settings: Settings) -> None:
    assert RunVariables.from_mage(settings, {}).due_month == Month.of(datetime.now()) - 1


def test_a_city_api_counts_for_the_run_alone(settings: Settings) -> None:
    variables = RunVariables.from_mage(settings, {"city_api": "http://127.0.0.1:1"})
    assert variables.apply(settings).city_api == "http://127.0.0.1:1"
    assert settings.city_api == "auto"


def test_without_a_city_api_the_setting_stays(settings: Settings) -> None:
    assert RunVariables.from_mage(settings, {}).apply(settings) is settings
