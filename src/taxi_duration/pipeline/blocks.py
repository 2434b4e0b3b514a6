"""What every Mage block begins with: its settings, and a log that Mage shows."""

import logging
import sys

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


def block_settings() -> Settings:
    """Load the settings and send what the package logs to the log of the running block."""
    settings = load_settings()
    logger = logging.getLogger(PACKAGE)
    logger.setLevel(settings.log_level.upper())
    if not any(isinstance(handler, BlockLog) for handler in logger.handlers):
        logger.addHandler(BlockLog())
    return settings
