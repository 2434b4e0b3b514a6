import io
import logging
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from taxi_duration.pipeline.blocks import PACKAGE, BlockLog, block_settings


@pytest.fixture(autouse=True)
def clean_logger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TAXI_HOME", str(tmp_path))
    logger = logging.getLogger(PACKAGE)
    level = logger.level
    yield
    logger.setLevel(level)
    for handler in [each for each in logger.handlers if isinstance(each, BlockLog)]:
        logger.removeHandler(handler)


def said_in_a_block(level: int, text: str, *args: object) -> str:
    with redirect_stdout(io.StringIO()) as output:
        logging.getLogger(f"{PACKAGE}.trips").log(level, text, *args)
    return output.getvalue()


def test_the_package_logs_to_the_output_that_mage_puts_in_place_of_a_block() -> None:
    block_settings()
    assert said_in_a_block(logging.INFO, "%d trips", 3) == "3 trips\n"


def test_a_warning_says_that_it_is_one() -> None:
    block_settings()
    assert said_in_a_block(logging.WARNING, "simulated") == "WARNING: simulated\n"


def test_each_line_is_said_once_however_many_blocks_ran() -> None:
    block_settings()
    block_settings()
    assert said_in_a_block(logging.INFO, "once") == "once\n"


def test_the_setting_decides_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAXI_LOG_LEVEL", "error")
    block_settings()
    assert said_in_a_block(logging.WARNING, "quiet") == ""
