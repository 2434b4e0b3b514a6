"""How long to wait before the City's API is asked again."""

import logging
from collections.abc import Callable

from tenacity import RetryCallState
from tenacity.wait import wait_base, wait_exponential_jitter

from taxi_duration.errors import CityApiError


class PassingCityApiError(CityApiError):
    """A failure that may pass; `retry_after` is the wait in seconds that the server asked for."""

    def __init__(self, cause: str, remedy: str = "", *, retry_after: float = 0) -> None:
        super().__init__(cause, remedy)
        self.retry_after = retry_after


class Backoff(wait_base):
    """Exponential with jitter, at least what the server asked for, never over `longest_seconds`."""

    def __init__(self, first_seconds: float = 1, longest_seconds: float = 60) -> None:
        self._longest_seconds = longest_seconds
        self._exponential = wait_exponential_jitter(
            multiplier=first_seconds, max=longest_seconds, jitter=first_seconds
        )

    def __call__(self, retry_state: RetryCallState) -> float:
        """The wait before the next attempt in seconds."""
        asked_for = getattr(_failure(retry_state), "retry_after", 0.0)
        return min(max(self._exponential(retry_state), asked_for), self._longest_seconds)


def log_pause(log: logging.Logger) -> Callable[[RetryCallState], None]:
    """Logs why and when the next attempt follows."""

    def write(retry_state: RetryCallState) -> None:
        log.warning(
            "Attempt %d failed, the next follows in %.1f s. %s",
            retry_state.attempt_number,
            retry_state.upcoming_sleep,
            _failure(retry_state),
        )

    return write


def _failure(retry_state: RetryCallState) -> BaseException | None:
    return retry_state.outcome.exception() if retry_state.outcome else None
