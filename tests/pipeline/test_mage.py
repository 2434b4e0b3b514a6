"""How the end of a run is judged; whole runs are started in tests/cli/test_pipeline.py."""

from pathlib import Path

import pytest

from mage_parts import free_port
from taxi_duration.errors import MageUnreachableError, PipelineError
from taxi_duration.pipeline import mage
from taxi_duration.pipeline.mage_api import BlockRun, Run
from taxi_duration.settings import Settings, load_settings

URL = "http://mage/run/7"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(
        home=tmp_path,
        mage_url=f"http://127.0.0.1:{free_port()}",
        mage_owner_password="password",
        mage_trigger_token="token",
    )


def run_of(*states: str) -> Run:
    blocks = [BlockRun(n, f"block_{n}", state) for n, state in enumerate(states)]
    return Run(7, "completed", blocks)


def test_without_mage_the_remedy_is_told(settings: Settings) -> None:
    with pytest.raises(MageUnreachableError, match="`taxi up`"):
        mage.run_pipeline(settings, {}, print)


@pytest.mark.parametrize("missing", ["mage_owner_password", "mage_trigger_token"])
def test_without_its_secrets_no_run_is_started(settings: Settings, missing: str) -> None:
    with pytest.raises(PipelineError, match="TAXI_MAGE_TRIGGER_TOKEN are needed"):
        mage.run_pipeline(settings.model_copy(update={missing: None}), {}, print)


def test_a_completed_run_without_blocks_is_no_success(settings: Settings) -> None:
    with pytest.raises(PipelineError, match=r"calls the run 7 completed, but: no output"):
        mage.raise_if_nothing_came_of_it(settings, run_of(), {}, URL)


def test_a_completed_run_with_a_block_that_did_not_run_is_no_success(settings: Settings) -> None:
    run = run_of("completed", "initial")
    with pytest.raises(PipelineError, match="blocks that did not run: block_1"):
        mage.raise_if_nothing_came_of_it(settings, run, {"recorded": 5}, URL)


def test_a_line_tells_block_state_and_seconds() -> None:
    assert (
        mage.line(BlockRun(1, "build_features", "condition_failed")) == "build_features   skipped"
    )
