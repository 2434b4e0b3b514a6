"""SeaweedFS, the stack's S3 server, in one process."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from taxi_duration.errors import StackError
from taxi_duration.settings import Settings
from taxi_duration.stack.health import listens
from taxi_duration.stack.part import Part
from taxi_duration.stack.resolved import LOOPBACK, Secrets, plain
from taxi_duration.storage import Limits, Storage

# `weed mini` dials its admin server at that server's port + 10,000, whatever -admin.port.grpc says.
_ADMIN_GRPC: Final = 10_000
_INNER_PORTS: Final = (
    *("master.port", "master.port.grpc", "volume.port", "volume.port.grpc"),
    *("filer.port", "filer.port.grpc", "s3.port.grpc", "admin.port"),
)
# Where it lays the sockets of its inner ports, whatever it is told.
SOCKETS: Final = Path("/tmp")  # noqa: S108
# The object that tells whether objects can be stored and read.
_PROBE: Final = ".answers"
# Whoever asks for the state of the stack waits for it; a start asks again.
_PATIENCE: Final = Limits(connect=2, silent=4, attempts=1)


def seaweedfs(settings: Settings, secrets: Secrets) -> Part:
    """The S3 server, with one key and the bucket that the settings name."""
    inner = {name: settings.s3_base_port + n for n, name in enumerate(_INNER_PORTS)}
    ports = [*inner.values(), inner["admin.port"] + _ADMIN_GRPC]
    options = {
        # In the home, where supervisord works; the whole path could hold a comma, which would make
        # it two folders.
        "dir": "s3",
        "ip": LOOPBACK,
        "ip.bind": LOOPBACK,
        "bucket": settings.s3_bucket,
        # Unless told, as many as gigabytes are free when it starts. They grow as they are filled,
        # and every bucket takes one: a disk that is nearly full would have room for few buckets.
        "volume.max": 1_000,
        "s3.port": settings.s3_port,
        **inner,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        # In /tmp, where it puts them unless told, another user's leftovers would stop it.
        "filer.localSocket": "run/s3-filer.sock",
        "s3.localSocket": "run/s3.sock",
        "webdav": "false",
        "admin.ui": "false",
        "master.telemetry": "false",
    }
    return Part(
        name="s3",
        command=(
            str(Path(sys.executable).parent / "weed"),
            # Else it would write its log to /tmp as well, in files that nobody removes.
            "-logtostderr",
            "mini",
            *(f"-{name}={value}" for name, value in options.items()),
        ),
        environment={
            "AWS_ACCESS_KEY_ID": plain(settings.s3_access_key_id),
            "AWS_SECRET_ACCESS_KEY": plain(settings.s3_secret_access_key),
            # Without these, its inner ports give every object to whoever asks.
            "WEED_JWT_SIGNING_KEY": secrets.derive("s3 volume"),
            "WEED_JWT_FILER_SIGNING_KEY": secrets.derive("s3 filer"),
            "WEED_JWT_FILER_SIGNING_READ_KEY": secrets.derive("s3 filer reads"),
        },
        healthy=partial(_healthy, settings),
        prepare=partial(_prepare, settings.home / "s3", ports),
        ports={
            "TAXI_S3_PORT": [settings.s3_port],
            "TAXI_S3_BASE_PORT": ports,
        },
        url=f"http://{LOOPBACK}:{settings.s3_port}",
    )


def _prepare(data: Path, ports: Sequence[int]) -> None:
    data.mkdir(mode=0o700, exist_ok=True)
    for socket in SOCKETS.glob("seaweedfs-*-grpc-*.sock"):
        if socket.stem.endswith(tuple(f"-{port}" for port in ports)) and not _removable(socket):
            raise StackError(
                f"{socket}, which the S3 server of another user has left, is in the way.",
                "Have that user remove it, or set TAXI_S3_BASE_PORT to another port.",
            )


def _removable(file: Path) -> bool:
    return os.geteuid() in {0, file.lstat().st_uid}


def _healthy(settings: Settings) -> bool:
    """Whether it takes an object and gives it back.

    After a kill it answers for buckets before it knows where their objects lie, and until then
    every read fails; it takes an object only once it knows.
    """
    if not listens(LOOPBACK, settings.s3_port):
        return False
    storage = replace(Storage.from_settings(settings), limits=_PATIENCE)
    probe = {"Bucket": storage.bucket, "Key": _PROBE}
    try:
        storage.client.put_object(**probe, Body=b"here")
        storage.client.get_object(**probe)
    except (BotoCoreError, ClientError):
        return False
    return True
