"""Every error that this project raises on purpose.

TaxiError
├── SettingsError          a setting has a value that cannot be used
├── CityApiError           the City's API refused, failed, or answered what cannot be read
├── SoqlError              a query that the stand-in for the City's API does not understand
├── TripsError             trips that cannot be used
│   ├── NoTripsError           the month has none
│   ├── TripSchemaError        a column is missing or cannot be read as its type
│   └── TooManyBadTripsError   the share of quarantined rows is over its limit
├── StorageError           the S3 server refused or cannot be reached
│   └── MissingObjectError     the bucket has no such object
├── ArchiveError           the stream of a backup of S3 broke off
├── ModelError             a model that cannot be used
│   ├── NoModelError           there is none yet
│   ├── OtherFeaturesError     it was made for other features than this code has
│   └── DamagedModelError      its files are not the ones that were trained
├── RegistryError          the registry refused or cannot be reached
│   └── UnknownVersionError    it has no such version, or no version holds the alias
├── PromotionError         a version cannot become champion
├── DeliveryError          a version could not be brought to the Lambda function, or not back
├── ReproductionError      an earlier run cannot be trained again, or gives another model
├── MonitoringError        a report or its figures cannot be made, stored or read
├── AlarmError             an alarm could not be sent
├── PipelineError          a pipeline run failed or could not be started
│   ├── MageUnreachableError   Mage does not answer
│   └── DrillError             a drill did not go as it should
├── ServiceError           the service refused, failed or cannot be reached; `client` has the kinds
├── ProvisionError         Postgres or S3 cannot be made ready
└── StackError             a part of the embedded stack cannot run
    └── PortTakenError         another process listens on its port
"""

from typing import Final

from msgspec import DecodeError

# What reading bytes as JSON raises: msgspec leaves bad UTF-8 to Python.
UNREADABLE: Final = (DecodeError, UnicodeDecodeError)


class TaxiError(Exception):
    """What was wrong and, in the same sentence or the next, what to do about it."""

    def __init__(self, cause: str, remedy: str = "") -> None:
        super().__init__(f"{cause} {remedy}".strip())
        self.cause = cause
        self.remedy = remedy


class SettingsError(TaxiError):
    """A setting has a value that cannot be used."""


class CityApiError(TaxiError):
    """The City's API refused, failed, or answered what cannot be read."""


class SoqlError(TaxiError):
    """A query that is wrong, or beyond the stand-in; `code` is what the City calls it."""

    def __init__(self, code: str, cause: str, data: dict[str, object] | None = None) -> None:
        super().__init__(cause)
        self.code = code
        self.data = data or {}


class TripsError(TaxiError):
    """Trips that cannot be used."""


class NoTripsError(TripsError):
    """The month has no trips."""


class TripSchemaError(TripsError):
    """A column is missing or cannot be read as its type."""


class TooManyBadTripsError(TripsError):
    """The share of quarantined rows is over its limit."""


class StorageError(TaxiError):
    """The S3 server refused or cannot be reached."""


class MissingObjectError(StorageError):
    """The bucket has no such object."""


class ArchiveError(TaxiError):
    """The stream that a backup of S3 comes from broke off."""


class ModelError(TaxiError):
    """A model that cannot be used."""


class NoModelError(ModelError):
    """There is no model yet."""


class OtherFeaturesError(ModelError):
    """The model was made for other features than this code has."""


class DamagedModelError(ModelError):
    """The files of a model are not the ones that were trained."""


class RegistryError(TaxiError):
    """The registry refused or cannot be reached."""


class UnknownVersionError(RegistryError):
    """The registry has no such version, or no version holds the alias."""


class PromotionError(TaxiError):
    """A version cannot become champion."""


class DeliveryError(TaxiError):
    """A version could not be brought to the Lambda function, or the former one not back."""


class ReproductionError(TaxiError):
    """An earlier run cannot be trained again, or gives another model."""


class MonitoringError(TaxiError):
    """A report or its figures cannot be made, stored or read."""


class AlarmError(TaxiError):
    """An alarm could not be sent."""


class PipelineError(TaxiError):
    """A pipeline run failed or could not be started."""


class MageUnreachableError(PipelineError):
    """Mage does not answer, or has no Postgres to answer from."""


class DrillError(PipelineError):
    """A drill did not go as it should."""


class ServiceError(TaxiError):
    """The service refused, failed or cannot be reached."""


class ProvisionError(TaxiError):
    """Postgres or S3 cannot be made ready for the stack."""


class StackError(TaxiError):
    """A part of the embedded stack cannot run."""


class PortTakenError(StackError):
    """Another process listens on a port that a part needs."""
