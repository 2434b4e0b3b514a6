"""Starts a run of the pipeline, follows it block by block and tells how it ended."""

import math
import time
from collections.abc import Callable
from typing import Any, Final

from taxi_duration.errors import PipelineError
from taxi_duration.pipeline.exported import report_problems
from taxi_duration.pipeline.mage_api import PIPELINE, BlockRun, MageApi, Run
from taxi_duration.settings import Settings

POLL_SECONDS: Final = 1.0
LAST_LINES: Final = 12
# The last block of each branch hands on what the whole branch produced; of what both name, such as
# the champion, the training branch knows the newer.
LAST_BLOCKS: Final = (
    "record_truth",
    "judge_retraining",
    "queue_retraining",
    "register_model",
    "record_window",
)

STATES: Final = {"completed": "done", "condition_failed": "skipped", "failed": "failed"}
# What Mage says around a block's own lines.
NOISE: Final = (
    "Start executing block",
    "Finish executing block",
    "Exception thrown when attempting",
    "Failed to execute block",
)

Show = Callable[[str], None]


def run_pipeline(
    settings: Settings, variables: dict[str, object], show: Show, pipeline: str = PIPELINE
) -> dict[str, Any]:
    """Run a pipeline in Mage and wait for its end.

    `show` gets one line a block. Returns `run`, `url`, `seconds`, `blocks` (state and seconds of
    each) and all that the last blocks handed on: `month`, `source`, `version`, `exported` and so
    forth. Raises PipelineError naming the block that failed, with the last lines that it logged,
    and where a run completed without having produced what it is for.
    """
    with MageApi(settings.mage_url, pipeline=pipeline) as mage:
        token = _sign_in(mage, settings)
        number = mage.trigger(variables, token)
    return follow_run(settings, number, show, pipeline)


def unfinished_run(settings: Settings) -> int | None:
    """The run of the pipeline that something else has started and that has not ended, if any."""
    with MageApi(settings.mage_url) as mage:
        _sign_in(mage, settings)
        return mage.unfinished()


def follow_run(
    settings: Settings, number: int, show: Show, pipeline: str = PIPELINE
) -> dict[str, Any]:
    """The same for a run that something else has started."""
    started = time.monotonic()
    with MageApi(settings.mage_url, pipeline=pipeline) as mage:
        _sign_in(mage, settings)
        url = f"{settings.mage_pages}/pipelines/{pipeline}/runs/{number}"
        show(f"run {number}: {url}")
        run = _follow(mage, number, show)
        _raise_if_it_did_not_complete(mage, run, url)
        output = _output(mage, run)
    raise_if_nothing_came_of_it(settings, run, output, url)
    blocks = {
        block.block_uuid: {"state": STATES[block.status], "seconds": block.seconds or 0.0}
        for block in run.block_runs
    }
    seconds = round(time.monotonic() - started, 1)
    return {**output, "run": number, "url": url, "seconds": seconds, "blocks": blocks}


def _sign_in(mage: MageApi, settings: Settings) -> str:
    """Open the session; returns the token that starts a run."""
    password, token = settings.mage_owner_password, settings.mage_trigger_token
    if not password or not token:
        raise PipelineError(
            "TAXI_MAGE_OWNER_PASSWORD and TAXI_MAGE_TRIGGER_TOKEN are needed to start a run.",
            "`taxi up` makes them; with another Mage, set them as that one has them.",
        )
    mage.sign_in(settings.mage_owner_email, password.get_secret_value())
    return token.get_secret_value()


def _follow(mage: MageApi, number: int, show: Show) -> Run:
    shown: set[str] = set()
    while True:
        run = mage.run(number)
        for block in sorted(run.block_runs, key=_ended_at):
            if block.status in STATES and block.block_uuid not in shown:
                shown.add(block.block_uuid)
                show(line(block))
        if run.status in ("completed", "failed", "cancelled"):
            return run
        time.sleep(POLL_SECONDS)


def _ended_at(block: BlockRun) -> float:
    return block.completed_at.timestamp() if block.completed_at else math.inf


def line(block: BlockRun) -> str:
    """Such as `load_trips       done         4.7 s`."""
    seconds = "" if block.seconds is None else f"{block.seconds:8.1f} s"
    return f"{block.block_uuid:<16} {STATES[block.status]:<8}{seconds}".rstrip()


def _raise_if_it_did_not_complete(mage: MageApi, run: Run, url: str) -> None:
    failed = next((block for block in run.block_runs if block.status == "failed"), None)
    if failed:
        reason, lines = _last_words(mage, run, failed)
        raise PipelineError(
            f"The block {failed.block_uuid} failed: {reason}\n"
            + "".join(f"  | {line}\n" for line in lines),
            f"The whole log: {url}",
        )
    if run.status != "completed":
        raise PipelineError(f"The run {run.id} was {run.status}.", f"See {url}")


def _last_words(mage: MageApi, run: Run, block: BlockRun) -> tuple[str, list[str]]:
    records = mage.log(run, block)
    errors = [record["error_stacktrace"] for record in records if "error_stacktrace" in record]
    lines = [str(record["message"]) for record in records]
    lines = [line for line in lines if not line.startswith(NOISE)]
    return (errors[-1] if errors else "it logged no reason."), lines[-LAST_LINES:]


def _output(mage: MageApi, run: Run) -> dict[str, Any]:
    completed = {block.block_uuid: block for block in run.block_runs if block.status == "completed"}
    outputs = [mage.output(completed[name]) for name in LAST_BLOCKS if name in completed]
    return {key: value for output in outputs for key, value in output.items()}


def raise_if_nothing_came_of_it(
    settings: Settings, run: Run, output: dict[str, Any], url: str
) -> None:
    """Mage has been seen to complete runs of which blocks did nothing (its issue 5965)."""
    unfinished = [block.block_uuid for block in run.block_runs if block.status not in STATES]
    if unfinished or "recorded" not in output:
        problem = f"blocks that did not run: {', '.join(unfinished)}" if unfinished else "no output"
    else:
        problem = report_problems(settings, output)
    if problem:
        raise PipelineError(f"Mage calls the run {run.id} completed, but: {problem}.", f"See {url}")
