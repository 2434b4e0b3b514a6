"""The settings that the stack decides: addresses from ports, generated secrets, and their file."""

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dotenv import dotenv_values
from pydantic import SecretStr

from taxi_duration.errors import StackError
from taxi_duration.settings import PREFIX, Settings, load_settings

SECRET: Final = "stack_secret"  # noqa: S105  the name of the entry
DATABASES: Final = ("taxi", "mlflow", "mage")
LOOPBACK: Final = "127.0.0.1"

# What a client in another terminal must know, and what stays from one start to the next.
_KEPT: Final = (
    *("host", "postgres_port", "s3_port", "s3_base_port", "mlflow_port", "mage_port"),
    *("service_port", "city_api_port", "s3_bucket", "s3_region", "s3_endpoint"),
    *("s3_access_key_id", "s3_secret_access_key", "database_url", "mlflow_url", "mage_url"),
    *("mage_trigger_token", "mage_owner_email", "mage_owner_password", "service_url"),
)


@dataclass(frozen=True)
class Secrets:
    """Every secret of one stack, derived from a random one, so that only that one must be kept."""

    root: str

    @classmethod
    def of(cls, settings: Settings) -> "Secrets":
        """Those of the stack in `settings.home`, newly drawn where there is none yet."""
        return cls.kept(settings) or cls(secrets.token_hex(32))

    @classmethod
    def kept(cls, settings: Settings) -> "Secrets | None":
        """Those in the stack's file; None where there is none yet."""
        root = dotenv_values(settings.stack_file).get(PREFIX + SECRET.upper())
        return cls(root) if root else None

    def derive(self, purpose: str) -> str:
        """40 hexadecimal characters that nobody can tell without the root."""
        return hashlib.blake2b(purpose.encode(), key=self.root.encode(), digest_size=20).hexdigest()


def reach(host: str) -> str:
    """The address at which a server that listens on `host` is reached from this machine."""
    return LOOPBACK if host in {"0.0.0.0", "::"} else host  # noqa: S104


def database_url(settings: Settings, secrets: Secrets, database: str) -> str:
    """SQLAlchemy's URL of one of the stack's databases, password included."""
    password = secrets.derive("postgres")
    return f"postgresql+psycopg2://taxi:{password}@{LOOPBACK}:{settings.postgres_port}/{database}"


def resolve(settings: Settings, secrets: Secrets) -> Settings:
    """`settings` with the stack's own addresses, and secrets where none were given."""

    def secret(given: SecretStr | None, purpose: str) -> SecretStr:
        return given or SecretStr(secrets.derive(purpose))

    host = reach(settings.host)
    return settings.model_copy(
        update={
            "s3_endpoint": f"http://{LOOPBACK}:{settings.s3_port}",
            "s3_access_key_id": settings.s3_access_key_id or secrets.derive("s3 key")[:20],
            "s3_secret_access_key": secret(settings.s3_secret_access_key, "s3 secret"),
            "database_url": SecretStr(database_url(settings, secrets, "taxi")),
            "mlflow_url": f"http://{host}:{settings.mlflow_port}",
            "mage_url": f"http://{host}:{settings.mage_port}",
            "service_url": f"http://{host}:{settings.service_port}",
            "mage_trigger_token": secret(settings.mage_trigger_token, "mage trigger"),
            # A person types this one.
            "mage_owner_password": settings.mage_owner_password
            or SecretStr(secrets.derive("mage owner")[:16]),
        }
    )


def write(settings: Settings, secrets: Secrets) -> None:
    """Write the stack's file whole, readable by the owner only."""
    lines = [f"{PREFIX}{SECRET.upper()}='{secrets.root}'"]
    lines += [f"{PREFIX}{name.upper()}={_quoted(getattr(settings, name))}" for name in _KEPT]
    draft = settings.stack_file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:  # noqa: PTH123  a descriptor, not a path
        file.write("\n".join(lines) + "\n")
    draft.replace(settings.stack_file)


def _quoted(value: Any) -> str:
    return "'" + plain(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def as_environment(settings: Settings) -> dict[str, str]:
    """The settings that are not at their defaults, as a child process reads them."""
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {
        f"{PREFIX}{name.upper()}": plain(value)
        for name, value in sorted(given.items())
        if value is not None
    }


def adopt(settings: Settings) -> Settings:
    """`settings`, but with what a running stack was started with, as its file says."""
    file = dotenv_values(settings.stack_file)
    kept = {name: file.get(f"{PREFIX}{name.upper()}") for name in _KEPT}
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    known = {name: value for name, value in kept.items() if value is not None}
    return load_settings(**{**given, **known})


def check_whole(settings: Settings) -> None:
    """Raise StackError where there is data, but the file with its passwords is gone."""
    if (settings.home / "postgres").exists() and not settings.stack_file.exists():
        raise StackError(
            f"The data in {settings.home} is there, but {settings.stack_file} with its passwords"
            " is not.",
            "Bring that file back, or remove the data with `taxi down --remove`.",
        )


def plain(value: Any) -> str:
    """A setting as text, secrets included."""
    return str(value.get_secret_value() if isinstance(value, SecretStr) else value)


def make_home(home: Path) -> None:
    """Make the stack's folders; logs and run files are for the owner only."""
    home.mkdir(parents=True, exist_ok=True)
    for name in ("logs", "run"):
        (home / name).mkdir(mode=0o700, exist_ok=True)
