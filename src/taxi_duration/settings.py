"""Every setting, once: its name, type, default and meaning.

A setting is read from the environment as `TAXI_<NAME>`. The embedded stack writes what it chose
(addresses, generated keys) into `<home>/stack.env`, which counts where the environment is silent,
so that `taxi run` in a second terminal finds the stack that `taxi up` started in the first.
"""

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from taxi_duration.errors import SettingsError

PREFIX = "TAXI_"
STACK_FILE = "stack.env"

# The least and the greatest: the wrong way round they would hold for nothing, and nobody notice.
_ORDERED: Final = (
    ("min_minutes", "max_minutes"),
    ("gate_min_coverage", "gate_max_coverage"),
    ("retrain_over", "retrain_windows"),
)

Port = Annotated[int, Field(ge=1, le=65535)]
Share = Annotated[float, Field(ge=0, le=1)]


class Settings(BaseSettings):
    """The settings of one process; frozen, so that nothing changes them on the way."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    home: Path = Field(
        Path(".local"),
        description="Folder for all that the embedded stack keeps: data, keys, logs.",
    )

    # Trips
    city_api: str = Field(
        "auto",
        description="Where trips come from: `auto` (the City where it answers within 3 s, else the"
        " stand-in), `city`, `simulated`, or the URL of a SODA server.",
    )
    city_stand_in: str | None = Field(
        None,
        description="Address of the stand-in for the City's API; none: `TAXI_HOST` and"
        " `TAXI_CITY_API_PORT`.",
    )
    city_app_token: SecretStr | None = Field(
        None, description="The City's app token; with one, SODA 3 is used."
    )
    city_timeout_seconds: float = Field(
        60, gt=0, description="Limit of one call to the City's API."
    )
    city_attempts: int = Field(6, ge=1, description="How often one window of trips is asked for.")
    city_concurrency: int = Field(8, ge=1, description="Windows of trips asked for at a time.")
    trips_per_month: int = Field(
        60_000, ge=0, description="Most trips loaded of one month, spread over its days; 0: all."
    )
    history_months: int = Field(
        2, ge=1, description="Months before the run's month that a model is trained on."
    )
    min_minutes: float = Field(1, ge=0, description="Shortest duration that counts as a trip.")
    max_minutes: float = Field(60, gt=0, description="Longest duration that counts as a trip.")
    max_bad_share: Share = Field(
        0.4, description="Share of quarantined rows above which a month is refused."
    )

    # Model and drift
    seed: int = Field(42, ge=0, description="Seed of every random choice.")
    min_training_trips: int = Field(
        2_000, ge=1, description="Fewer trips than this, and the training branch is skipped."
    )
    report_sample: int = Field(
        20_000, ge=100, description="Rows a side that Evidently reads, stratified by day."
    )
    drift_share: Share = Field(
        0.5, description="Share of drifted columns from which a month counts as drifted."
    )
    live_hours: int = Field(
        1, ge=1, description="Hours of live traffic that one window compares with what was usual."
    )
    live_min_predictions: int = Field(
        100, ge=10, description="Fewer predictions than this in a window, and nothing is compared."
    )
    live_report_days: int = Field(
        7, ge=1, description="Days after which the reports of windows are deleted from S3."
    )
    monitoring_days: int = Field(
        730, ge=1, description="Days after which outcomes and windows are deleted from Postgres."
    )
    revision: str | None = Field(
        None,
        description="Commit that the code is of, for the runs in MLflow, where there is no checkout"
        " to ask; images have it.",
    )
    model_name: str = Field("taxi-duration", description="The registered model in MLflow.")
    mlflow_experiment: str = Field("taxi-duration", description="The experiment of training runs.")
    mlflow_url: str = Field(
        "http://127.0.0.1:5000", description="The MLflow server, for clients and for links."
    )
    mlflow_link: str | None = Field(
        None, description="The same as a browser reaches it, for links; none: `TAXI_MLFLOW_URL`."
    )
    mlflow_username: str | None = Field(
        None, description="Sign-in for MLflow; none: `MLFLOW_TRACKING_USERNAME`, or no sign-in."
    )
    mlflow_password: SecretStr | None = Field(None, description="Its password.")

    # Gate
    gate_margin_minutes: float = Field(
        0.01,
        ge=0,
        description="Minutes of MAE that a candidate has to be better than the champion.",
    )
    gate_confidence: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence, one-sided, that it is better by so much."
    )
    gate_min_trips: int = Field(
        500, ge=1, description="Least trips that show a candidate to be better than the champion."
    )
    gate_min_hours: int = Field(
        24, ge=1, description="Least hours, of one day or of several, in which these trips start."
    )
    gate_segment_tolerance: float = Field(
        0.05, ge=0, description="Share by which its MAE may exceed the champion's in a segment."
    )
    gate_segment_trips: int = Field(
        500, ge=1, description="Trips from which a segment counts in the gate."
    )
    gate_min_coverage: Share = Field(
        0.74, description="Least share of trips that a candidate's 80% interval holds."
    )
    gate_max_coverage: Share = Field(
        0.86, description="Greatest share of trips that a candidate's 80% interval holds."
    )
    gate_max_milliseconds: float = Field(
        20, gt=0, description="Longest time that a candidate may take to answer one trip."
    )

    # Loop
    retrain_error_ratio: float = Field(
        1.2,
        gt=1,
        description="A month counts against the model where its MAE, as a share of the mean"
        " duration, is so many times that of the trips that the model was trained on.",
    )
    retrain_windows: int = Field(
        3, ge=1, description="Latest months that decide whether the model is trained again."
    )
    retrain_over: int = Field(
        2, ge=1, description="Of these, with the latest, months over a threshold that lead to it."
    )
    retrain_cooldown_days: float = Field(
        7, ge=0, description="Days after a retraining was queued before the next one can be."
    )

    # Alarms
    alarm_missing_share: Share = Field(
        0.03,
        description="Share by which more areas, miles or durations may be missing than in the trips"
        " that the model was trained on.",
    )
    alarm_webhook_url: SecretStr | None = Field(
        None, description="Address that takes each alarm as JSON; none: no webhook."
    )
    alarm_smtp_url: SecretStr | None = Field(
        None,
        description="Mail server for alarms, `smtp://user:password@host:port`; `smtp+tls:` demands"
        " STARTTLS, `smtps:` is TLS from the start; none: no mail.",
    )
    alarm_mail_to: str | None = Field(
        None, description="Who gets the alarms by mail; several with commas between them."
    )
    alarm_mail_from: str = Field("taxi-duration@localhost", description="Sender of the mails.")

    # Storage
    s3_bucket: str = Field("taxi-duration", description="Bucket of lake, models and reports.")
    s3_endpoint: str | None = Field(
        None,
        pattern="^(https?://.+)?$",
        description="Address of the S3 server, `http://…` or `https://…`; none: AWS.",
    )
    s3_region: str = Field(
        "us-east-1", description="Region of the bucket, and of the Lambda function."
    )
    s3_access_key_id: str | None = Field(
        None, description="S3 key; none: what the AWS default chain finds."
    )
    s3_secret_access_key: SecretStr | None = Field(None, description="Secret of the S3 key.")
    database_url: SecretStr | None = Field(
        None,
        description="Postgres (`postgresql+psycopg2://…`) for figures and the log of predictions,"
        " schema `monitoring`, and for searches, schema `search`.",
    )
    grafana_db_password: SecretStr | None = Field(
        None,
        description="Password that `taxi provision` gives to `taxi_grafana`, who reads the figures;"
        " none: there is no such role.",
    )

    # Mage
    mage_url: str = Field("http://127.0.0.1:6789", description="The Mage server.")
    mage_link: str | None = Field(
        None, description="The same as a browser reaches it, for links; none: `TAXI_MAGE_URL`."
    )
    mage_trigger_token: SecretStr | None = Field(
        None, description="Token of the pipeline's API trigger."
    )
    mage_owner_email: str = Field("owner@example.com", description="Sign-in for the Mage UI.")
    mage_owner_password: SecretStr | None = Field(None, description="Its password.")

    # Service
    model_poll_seconds: float = Field(
        5, gt=0, description="How often the service looks for a new champion."
    )
    shadow: bool = Field(
        False,
        description="Have the challenger answer in shadow all that the champion answers, for the"
        " prediction log only.",
    )
    model_folder: str | None = Field(
        None,
        description="Folder of the one model that the service answers with, such as one of"
        " `<TAXI_HOME>/service/models`, or, for the Lambda function, `s3://<bucket>/<prefix>`;"
        " none: the registry's champion is followed.",
    )
    lambda_function: str | None = Field(
        None,
        description="Name of the Lambda function, in the bucket's region, that `taxi deploy lambda`"
        " brings models to.",
    )
    max_trips_per_request: int = Field(
        10_000, ge=1, description="Longest list that `/predict` takes."
    )
    max_waiting_requests: int = Field(
        128,
        ge=1,
        description="Requests that may wait in one of the service's processes; more get 429.",
    )
    request_seconds: float = Field(
        10,
        gt=0,
        description="Time in which a request has to come, and again in which it has to be taken.",
    )
    service_url: str = Field("http://127.0.0.1:9696", description="The service, for links.")
    prediction_log_seconds: float = Field(
        1,
        ge=0.05,
        description="Most seconds of predictions that a killed service loses of its log; at least"
        " 0.05.",
    )
    prediction_log_max_megabytes: int = Field(
        256,
        ge=1,
        description="Disk that logged predictions may take while Postgres is away; beyond it the"
        " oldest go.",
    )
    prediction_log_days: int = Field(
        90, ge=1, description="Days after which logged predictions are deleted from Postgres."
    )
    metrics_folder: Path | None = Field(
        None,
        description="Folder in which the processes of one service share"
        " their metrics; none: one in memory for the embedded stack on Linux, else"
        " `<TAXI_HOME>/service/metrics/<port>`. Services that share a home and a port need one"
        " each.",
    )
    service_workers: int = Field(2, ge=1, description="gunicorn's worker processes.")

    # Embedded stack
    host: str = Field(
        "127.0.0.1",
        description="Address that Mage, MLflow and the service listen on; Postgres and S3 stay on"
        " loopback.",
    )
    mlflow_port: Port = Field(5000, description="Port of the MLflow UI.")
    mage_port: Port = Field(6789, description="Port of the Mage UI.")
    service_port: Port = Field(9696, description="Port of the service.")
    city_api_port: Port = Field(9680, description="Port of the stand-in for the City's API.")
    simulated_trips_per_day: int = Field(
        5_000, ge=1, le=100_000, description="Trips that the simulated city has on an average day."
    )
    postgres_port: Port = Field(15432, description="Port of Postgres.")
    s3_port: Port = Field(8333, description="Port of SeaweedFS's S3 server.")
    s3_base_port: Port = Field(
        18330, description="First of the ports that SeaweedFS uses within itself."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged."
    )

    @field_validator("home")
    @classmethod
    def _is_no_file(cls, home: Path) -> Path:
        if home.is_file():
            raise PydanticCustomError("folder", f"{home} is a file, and no folder")
        return home

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for pair in _ORDERED:
            least, greatest = (getattr(self, name) for name in pair)
            if least > greatest:
                lower, upper = map(_variable, pair)
                raise PydanticCustomError(
                    "order", f"{lower}, {least:g}, is more than {upper}, {greatest:g}"
                )
        return self

    @cached_property
    def mlflow_pages(self) -> str:
        """Where a browser finds MLflow, without a slash at the end."""
        return (self.mlflow_link or self.mlflow_url).rstrip("/")

    @cached_property
    def mage_pages(self) -> str:
        """Where a browser finds Mage, without a slash at the end."""
        return (self.mage_link or self.mage_url).rstrip("/")

    @cached_property
    def stack_file(self) -> Path:
        """The file in which the embedded stack writes settings and generated secrets."""
        return self.home / STACK_FILE


def _variable(name: object) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{str(name).upper()}"


def load_settings(**overrides: object) -> Settings:
    """Settings from `overrides`, then the environment, then the stack's file, then the defaults.

    Raises SettingsError naming each setting that cannot be used and why, or the file.
    """
    home = (
        overrides.get("home")
        or os.environ.get(f"{PREFIX}HOME")
        or Settings.model_fields["home"].default
    )
    home = Path(str(home)).absolute()
    try:
        return Settings(_env_file=home / STACK_FILE, **{**overrides, "home": home})  # type: ignore[arg-type]
    except ValidationError as error:
        # What is wrong with several together names them itself.
        wrong = "; ".join(
            ": ".join([*map(_variable, item["loc"][:1]), item["msg"]]) for item in error.errors()
        )
        raise SettingsError(
            f"Settings that cannot be used: {wrong}.",
            "`taxi settings` lists all with their meaning.",
        ) from error
    except OSError as error:
        raise SettingsError(
            f"{home / STACK_FILE} cannot be read: {error.strerror}.",
            f"Only who made the stack can read it: be that user, or set {PREFIX}HOME to a folder of"
            " your own.",
        ) from error
