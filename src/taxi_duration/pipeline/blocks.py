"""What every Mage block begins with: its settings, and a log that Mage shows."""

import logging
import sys
from collections.abc import Mapping
from typing import Any

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


def block_settings(facts: Mapping[str, Any] | None = None) -> Settings:
    """Load the settings and send what the package logs to the log of the running block.

    `facts` is what the block before handed on, or the run's variables: a drill has settings of its
    own.
    """
    settings = settings_of(load_settings(), facts or {})
    logger = logging.getLogger(PACKAGE)
    logger.setLevel(settings.log_level.upper())
    if not any(isinstance(handler, BlockLog) for handler in logger.handlers):
        logger.addHandler(BlockLog())
    return settings
