"""From a request's body to checked trips, or to everything that is wrong with it at once."""

import codecs
import difflib
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import msgspec

from duration_service.limits import LEAST_BODY
from duration_service.problems import ProblemError
from taxi_duration.contract import FieldProblem, Trip, decode_custom
from taxi_duration.errors import UNREADABLE

EXAMPLE: Final = (
    '{"pickup_community_area": 8, "dropoff_community_area": 76,'
    ' "trip_start_timestamp": "2022-04-01T10:30:00"}'
)
NOT_JSON: Final = (*UNREADABLE, RecursionError)
BYTE_ORDER_MARKS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# A body full of values, `0` and a comma each, would take 100 MB, and 140 ms in which the process
# does nothing else. The City's own trips have 23.
VALUES_PER_TRIP: Final = 32
LEAST_VALUES: Final = LEAST_BODY // 2
# Looking for more would cost the service more than it would tell the caller.
MOST_ERRORS: Final = 100
# Enough of a wrong value to recognise it.
MOST_SHOWN: Final = 100

_trips = msgspec.json.Decoder(Trip | list[Trip], dec_hook=decode_custom)
_raw_body = msgspec.json.Decoder(dict[str, msgspec.Raw] | list[msgspec.Raw])
_raw_trip = msgspec.json.Decoder(dict[str, msgspec.Raw])
_fields = {
    field.name: (
        msgspec.json.Decoder(field.type, dec_hook=decode_custom),
        field.type.__metadata__[0].description,
    )
    for field in msgspec.structs.fields(Trip)
}


def decode_trips(body: bytes, most: int) -> Trip | list[Trip]:
    """One trip or a list of at most `most`, as `body` has it.

    Raises ProblemError: 400 where the body is no JSON, 413 for a longer list, 422 with every wrong
    field of every trip.
    """
    if body.count(b",") > LEAST_VALUES + VALUES_PER_TRIP * most:
        raise ProblemError(413, f"The body has more values than {most:,} trips. Split the list.")
    try:
        trips: Trip | list[Trip] = _trips.decode(body)
    except msgspec.ValidationError as error:
        raise _refusal(body, most, str(error)) from error
    except NOT_JSON as error:
        raise _not_json(body, error) from error
    if isinstance(trips, list):
        _check_length(trips, most)
    return trips


def _refusal(body: bytes, most: int, reason: str) -> ProblemError:
    """Why the body holds no trips; `reason` is what the decoder said of the first fault."""
    try:
        wrong = list(islice(_wrong_in_body(body, most), MOST_ERRORS + 1))
    except NOT_JSON as error:
        return _not_json(body, error)
    # A field that comes twice, first wrong and then right, is only known to the decoder.
    wrong = wrong or [FieldProblem("$", _shown(body), f"each field once: {reason}")]
    return ProblemError(422, _count(len(wrong)), wrong[:MOST_ERRORS])


def _count(wrong: int) -> str:
    if wrong > MOST_ERRORS:
        return f"More than {MOST_ERRORS} things are wrong; `errors` has the first {MOST_ERRORS}."
    things = "One thing is" if wrong == 1 else f"{wrong} things are"
    return f"{things} wrong; `errors` says where, and what would be right."


def _not_json(body: bytes, error: Exception) -> ProblemError:
    if not body.strip():
        return ProblemError(400, f"The body is empty. Send a trip, such as {EXAMPLE}, or a list.")
    # Two searches: one for either holds the process 50 times as long.
    written = b"NaN" in body or b"Inf" in body
    hint = " NaN and Infinity are not JSON: write null." if written else ""
    if body.startswith(BYTE_ORDER_MARKS):
        hint = " Send it in UTF-8 without a byte order mark."
    return ProblemError(400, f"The body cannot be read as JSON: {error}.{hint}")


def _check_length(trips: list[Any], most: int) -> None:
    if len(trips) > most:
        raise ProblemError(
            413, f"{len(trips):,} trips came; one request takes {most:,}. Split the list."
        )
    if not trips:
        raise ProblemError(
            422, "The list is empty.", [FieldProblem("$", "[]", f"1 to {most:,} trips")]
        )


def _wrong_in_body(body: bytes, most: int) -> Iterator[FieldProblem]:
    try:
        raw = _raw_body.decode(body)
    except msgspec.ValidationError:
        yield FieldProblem("$", _shown(body), f"a trip, such as {EXAMPLE}, or a list of trips")
        return
    if isinstance(raw, dict):
        yield from _wrong_in_trip(raw, "$")
        return
    _check_length(raw, most)
    for n, item in enumerate(raw):
        yield from _wrong_in_item(item, f"$[{n}]")


def _wrong_in_item(item: msgspec.Raw, path: str) -> Iterator[FieldProblem]:
    try:
        yield from _wrong_in_trip(_raw_trip.decode(item), path)
    except msgspec.ValidationError:
        yield FieldProblem(path, _shown(item), f"a trip, such as {EXAMPLE}")


def _wrong_in_trip(raw: dict[str, msgspec.Raw], path: str) -> Iterator[FieldProblem]:
    for name, value in raw.items():
        if wrong := _wrong_in_field(name, value, path):
            yield wrong


def _wrong_in_field(name: str, value: msgspec.Raw, path: str) -> FieldProblem | None:
    if name not in _fields:
        return FieldProblem(_child(path, name), _shown(value), _nearest(name))
    decoder, rule = _fields[name]
    try:
        decoder.decode(value)
    except NOT_JSON:
        return FieldProblem(_child(path, name), _shown(value), rule)
    return None


def _nearest(name: str) -> str:
    """What to write in place of a field that does not exist."""
    near = difflib.get_close_matches(name[:MOST_SHOWN], _fields, n=1)
    return f"no such field; did you mean {near[0]}?" if near else f"only {', '.join(_fields)}"


def _child(path: str, name: str) -> str:
    """The JSON path (RFC 9535) of a member."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return f"{path}.{name[:MOST_SHOWN]}"
    return f"{path}[{msgspec.json.encode(name[:MOST_SHOWN]).decode()}]"


def _shown(value: bytes | msgspec.Raw) -> str:
    """The value as it was written, cut where it is long."""
    text = bytes(memoryview(value)[: 4 * MOST_SHOWN]).decode(errors="replace").strip()
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
