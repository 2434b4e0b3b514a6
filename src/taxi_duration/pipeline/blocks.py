"""What every Mage block begins with: its settings, and a log that Mage shows."""

import logging
import sys
from collections.abc import Mapping
from typing import Any

from taxi_duration.errors import PipelineError
from taxi_duration.pipeline.drilling import settings_of
from taxi_duration.settings import Settings, load_settings

PACKAGE = "taxi_duration"


class BlockLog(logging.Handler):
    """Writes to the standard output of the moment, which Mage turns into the log of the block."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; its level too where it is more than information."""
        try:
            sys.stdout.write(f"{self.format(record)}\n")
        except Exception:
            self.handleError(record)

    def format(self, record: logging.LogRecord) -> str:
        """`message`, or `WARNING: message`."""
        text = super().format(record)
        return text if record.levelno <= logging.INFO else f"{record.levelname}: {text}"


def block_settings(facts: Mapping[str, Any] | list[Any] | None = None) -> Settings:
    """Load the settings and send what the package logs to the log of the running block.

    `facts` is what the block before handed on, or the run's variables: a drill has settings of its
    own. Raises PipelineError where that is gone, for which Mage hands an empty list.
    """
    if isinstance(facts, list):
        raise PipelineError(
            "What the block before handed on is gone from Mage's folder, as after a restore.",
            "Run it again from the start, with the same month: `taxi run --month`.",
        )
    settings = settings_of(load_settings(), facts or {})
    logger = logging.getLogger(PACKAGE)
    logger.setLevel(settings.log_level.upper())
    if not any(isinstance(handler, BlockLog) for handler in logger.handlers):
        logger.addHandler(BlockLog())
    return settings
