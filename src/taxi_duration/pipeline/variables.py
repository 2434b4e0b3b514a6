"""What a person or a trigger asks of one run of the pipeline."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Self

import msgspec

from taxi_duration.errors import SettingsError
from taxi_duration.settings import Settings
from taxi_duration.trips.months import Month

REMEDY: Final = "Correct the run's variables; an empty one takes its setting."


class RunVariables(msgspec.Struct, frozen=True, kw_only=True):
    """The variables of one run; the names are those in the pipeline's `variables` in Mage."""

    # Such as `2019-03`; empty: the latest month that is complete and published.
    month: str = ""
    # Months before it that a model is trained on.
    history: Annotated[int, msgspec.Meta(ge=1)]
    # Most trips loaded of one month; 0: all.
    cap: Annotated[int, msgspec.Meta(ge=0)]
    seed: Annotated[int, msgspec.Meta(ge=0)]
    # Replaces the setting of the same name, with the same values.
    city_api: str = ""
    # Lets a model of this source take the place of a champion of another one.
    replace_source: bool = False
    # Trials, and seconds of trials, after which a search for better parameters ends; 0 and 0: none.
    search_trials: Annotated[int, msgspec.Meta(ge=0)] = 0
    search_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0
    # Number of the decision to train again that queued this run; 0: none did.
    retraining: Annotated[int, msgspec.Meta(ge=0)] = 0
    # Marks a drill: its trips and its model lie apart from the real ones.
    drill: bool = False
    # The moment that the run stands for: of the schedule, the backfill or the call.
    execution_date: datetime | None = None

    @classmethod
    def from_mage(cls, settings: Settings, kwargs: Mapping[str, object]) -> Self:
        """The variables among all that Mage hands to a block.

        What is missing or empty takes its setting; text from Mage's forms is read as its type.
        Raises SettingsError for a value that cannot be used.
        """
        defaults = {
            "history": settings.history_months,
            "cap": settings.trips_per_month,
            "seed": settings.seed,
        }
        given = {name: kwargs[name] for name in cls.__struct_fields__ if name in kwargs}
        given = {name: value for name, value in given.items() if value not in ("", None, [])}
        try:
            variables = msgspec.convert({**defaults, **given}, cls, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(f"A variable cannot be used: {error}.", REMEDY) from error
        if variables.month:
            Month.parse(variables.month)
        return variables

    @property
    def due_month(self) -> Month:
        """The last month that was over at `execution_date`, or is over now."""
        return Month.of(self.execution_date or datetime.now()) - 1

    def apply(self, settings: Settings) -> Settings:
        """The settings of this run: `city_api` is replaced where the variables name one."""
        return (
            settings.model_copy(update={"city_api": self.city_api}) if self.city_api else settings
        )
