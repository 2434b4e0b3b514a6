"""The header `Retry-After`, with which a server says when to ask again (RFC 9110, 10.2.3)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that a `Retry-After` header asks for, as a number or as a date; 0 without one."""
    value = headers.get("Retry-After", "").strip()
    # Other digits (², ٣) are none of HTTP.
    if value.isascii() and value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        # One of HTTP's three forms names no zone: it is UTC as well (RFC 9110, 5.6.7).
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # no date, or one that no calendar of Python's has
        return 0
    return max((moment - datetime.now(UTC)).total_seconds(), 0)
