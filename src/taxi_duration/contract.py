"""What comes in and what goes out.

Requests are decoded straight into these types, so a type is the whole rule for its field: what
does not fit is refused, and the field's description says in the answer what would have fitted.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

CHICAGO: Final = ZoneInfo("America/Chicago")
# The City's trips begin in 2013; a year outside these is a slip of the keyboard or the wrong unit.
FIRST_YEAR: Final = 2001
LAST_YEAR: Final = 2100
# Every day of those years and no other: a caller's own check of the schema and the service agree.
_DATE: Final = (
    "(?:20(?:0[1-9]|[1-9][0-9])|2100)-"
    "(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    "|(?:0[13-9]|1[0-2])-(?:29|30)"
    "|(?:0[13578]|1[02])-31)"
    "|20(?:0[48]|[2468][048]|[13579][26])-02-29"
)
_CLOCK: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?"
_ZONE: Final = "(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])?"
TIME: Final = re.compile(f"(?:{_DATE})[T ]{_CLOCK}{_ZONE}")
# No honest area or time is longer. An expression goes back over a longer text digit by digit, for
# which one of megabytes would hold the process for 0.2 s.
MOST_TEXT: Final = 64
# Python's `$` also stands before a last line break, that of JSON Schema does not.
_END: Final = r"$(?!\n)"


class ChicagoTime(datetime):
    """A time on Chicago's clocks; carries no zone, as the City's times do not."""

    @classmethod
    def parse(cls, value: object) -> Self:
        """The time that an ISO 8601 string names; one with a zone is converted to Chicago's.

        Raises ValueError for anything else: where the year that is written is outside 2001 to 2100
        (one with a zone may still become the last day of 2000), and where clocks skip the time. A
        time that clocks show twice, when summer time ends, is the same to the model both times.
        """
        if not isinstance(value, str) or len(value) > MOST_TEXT or not TIME.fullmatch(value):
            raise ValueError("no time")
        moment = cls.fromisoformat(value)
        # The hour first: it is the cheapest, and seldom 2.
        if moment.hour == 2 and moment.tzinfo is None and _is_skipped(moment):
            raise ValueError("no time in Chicago")
        return cls.of(moment)

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """What Chicago's clocks show at `moment`; without a zone it is taken for their time."""
        local = moment.astimezone(CHICAGO).replace(tzinfo=None) if moment.tzinfo else moment
        return local if isinstance(local, cls) else cls.fromisoformat(local.isoformat())

    @classmethod
    def present(cls) -> Self:
        """What Chicago's clocks show now."""
        return cls.now(CHICAGO).replace(tzinfo=None)


def _is_skipped(local: datetime) -> bool:
    """Whether Chicago's clocks, which go from 2 to 3 on a Sunday in March or April, left it out."""
    if local.month not in {3, 4} or local.weekday() != 6:
        return False
    back = local.replace(tzinfo=CHICAGO).astimezone(UTC).astimezone(CHICAGO)
    return back.hour != local.hour


def decode_custom(kind: type, value: Any) -> Any:
    """What msgspec asks for a type that is not its own (a `dec_hook`)."""
    if kind is ChicagoTime:
        return ChicagoTime.parse(value)
    raise NotImplementedError(f"{kind} cannot be decoded.")


def custom_schema(kind: type) -> dict[str, Any]:
    """The JSON schema of such a type (a `schema_hook`)."""
    if kind is ChicagoTime:
        examples = ["2022-04-01T10:30:00", "2022-04-01T15:30:00Z"]
        pattern = f"^(?:{TIME.pattern}){_END}"
        return {
            "type": "string",
            "maxLength": MOST_TEXT,
            "pattern": pattern,
            "examples": examples,
        }
    raise NotImplementedError(f"{kind} has no schema.")


# The City's JSON has numbers as strings, "8" or "8.0".
CommunityArea = (
    Annotated[float, Meta(ge=1, le=77, multiple_of=1)]
    | Annotated[
        str, Meta(max_length=MOST_TEXT, pattern=rf"^([1-9]|[1-6][0-9]|7[0-7])(\.0*)?{_END}")
    ]
)
AREA_RULE: Final = "a community area, a whole number from 1 to 77; null or left out where unknown"
TIME_RULE: Final = (
    f"a time in Chicago, {FIRST_YEAR} to {LAST_YEAR}, such as 2022-04-01T10:30:00, outside the"
    " hour that clocks skip when summer time begins; with a zone it is converted; null or left out"
    " for the present time"
)
TRIP_ID_RULE: Final = (
    "a string of at most 128 characters, none of them NUL, which comes back with the answer"
)
# Postgres, where predictions are kept, has no text with a NUL in it.
TripId = Annotated[str, Meta(max_length=128, pattern=r"^[^\u0000]*$")]


# Lists hold thousands of trips and answers: no cycle can begin in one, so none is watched for.
class Trip(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What is known of a trip when the passenger asks."""

    pickup_community_area: Annotated[CommunityArea | None, Meta(description=AREA_RULE)] = None
    dropoff_community_area: Annotated[CommunityArea | None, Meta(description=AREA_RULE)] = None
    trip_start_timestamp: Annotated[ChicagoTime | None, Meta(description=TIME_RULE)] = None
    trip_id: Annotated[TripId | None, Meta(description=TRIP_ID_RULE)] = None


class Prediction(Struct, frozen=True, gc=False):
    """The duration of one trip: the median and an 80% interval, in minutes, and who says so."""

    prediction: float
    lower: float
    upper: float
    unit: Literal["minutes"]
    model_version: str
    run_id: str
    trip_id: str | None


class FieldProblem(Struct, frozen=True):
    """One thing wrong with a request: where (a JSON path), what came, and what would be right."""

    path: str
    came: str
    expected: str


class Problem(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A problem in the form of RFC 9457, `application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: tuple[FieldProblem, ...] = ()


class Health(Struct, frozen=True):
    """The process lives."""

    status: Literal["alive"] = "alive"


Moment = Annotated[datetime, Meta(tz=True)]


class RegistryView(Struct, frozen=True):
    """What this process last saw of the registry, None before it looked; times in UTC."""

    answers: bool | None = None
    checked_at: Moment | None = None
    error: str | None = None


class PredictionLogView(Struct, frozen=True):
    """How the log of predictions does; times in UTC.

    `disk_error` is why the last predictions of the process that answers were lost, None where the
    disk took them. The rest is what the machine last saw of Postgres, None before it looked.
    """

    database_answers: bool | None
    spooled_bytes: int | None
    checked_at: datetime | None
    error: str | None
    disk_error: str | None = None


class Refusal(Struct, frozen=True):
    """A champion that could not be used, and why; the model before it goes on serving."""

    version: str
    run_id: str
    reason: str
    at: Moment


LoadedFrom = Literal["registry", "disk", "s3"]


class Readiness(Struct, frozen=True):
    """Whether predictions are answered, and from what."""

    ready: bool
    model_version: str | None
    loaded_from: LoadedFrom | None
    registry: RegistryView
    refused: Refusal | None
    # None where nothing is logged, and before the first look.
    prediction_log: PredictionLogView | None


class ModelVersion(Struct, frozen=True):
    """A version of the registered model: where it comes from, and how good it was then."""

    name: str
    version: str
    run_id: str
    source: str
    months: list[str]
    metrics: dict[str, float]
    created_at: Moment


class ModelAnswer(ModelVersion, frozen=True):
    """The version that answers, and since when it does in this process; times in UTC."""

    loaded_at: Moment
    loaded_from: LoadedFrom
    refused: Refusal | None
