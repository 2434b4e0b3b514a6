"""`python sign_in.py FILE`: what MLflow's sign-in has to know, before the server starts.

Writes its configuration into FILE, for the owner only: it holds the database's password. MLflow
takes the administrator's password for its very first start alone; here a changed one counts.
"""

import configparser
import os
import sys
from pathlib import Path

USERNAME = os.environ.get("MLFLOW_ADMIN_USERNAME") or "admin"
PASSWORD = os.environ["MLFLOW_ADMIN_PASSWORD"]


def write(path: Path, database: str) -> None:
    """Write the configuration; a user who is not the administrator may read everything."""
    config = configparser.ConfigParser(interpolation=None)
    config["mlflow"] = {
        "default_permission": "READ",
        # MLflow reads it with interpolation.
        "database_uri": database.replace("%", "%%"),
        "admin_username": USERNAME,
        "admin_password": PASSWORD.replace("%", "%%"),
        "authorization_function": "mlflow.server.auth:authenticate_request_basic_auth",
        # A hash of the password costs some 50 ms; once a minute is enough.
        "auth_cache_ttl_seconds": "60",
    }
    path.touch(mode=0o600)
    with path.open("w") as file:
        config.write(file)


def set_password(database: str) -> None:
    """Create the administrator, or give them the password that is configured now."""
    # After FILE is there, for this import reads it.
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore  # noqa: PLC0415

    store = SqlAlchemyStore()
    store.init_db(database)
    if not store.has_user(USERNAME):
        store.create_user(USERNAME, PASSWORD, is_admin=True)
    elif not store.authenticate_user(USERNAME, PASSWORD):
        store.update_user(USERNAME, PASSWORD, is_admin=True)


if __name__ == "__main__":
    uri = os.environ["MLFLOW_BACKEND_STORE_URI"]
    write(Path(sys.argv[1]), uri)
    set_password(uri)
