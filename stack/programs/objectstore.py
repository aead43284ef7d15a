"""The object store as a native process: MinIO, or SeaweedFS where the settings say so."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from stack.base.settings import Settings
from stack.programs.paths import Paths
from stack.programs.service import Service

LOOPBACK = "127.0.0.1"


def service(settings: Settings, paths: Paths) -> Service:
    """The object store's process; call prepare first."""
    return minio(settings, paths) if settings.object_store == "minio" else weed(settings, paths)


def prepare(paths: Paths) -> None:
    """Make the data folder."""
    paths.data("objectstore").mkdir(parents=True, exist_ok=True)


def minio(settings: Settings, paths: Paths) -> Service:
    """MinIO with its console."""
    data = paths.data("objectstore")
    addresses = [
        *("--address", f"{LOOPBACK}:{settings.minio_port}"),
        *("--console-address", f"{LOOPBACK}:{settings.minio_console_port}"),
    ]
    return Service(
        name="minio",
        command=[str(paths.minio), "server", str(data), *addresses],
        directory=data,
        address=f"{settings.s3_endpoint} console :{settings.minio_console_port}",
        environment={
            "MINIO_ROOT_USER": settings.s3_access_key,
            "MINIO_ROOT_PASSWORD": str(settings.s3_secret_key),
            "MINIO_REGION": settings.s3_region,
            "MINIO_BROWSER": "on",
            "MINIO_UPDATE": "off",
            "MINIO_CALLHOME_ENABLE": "off",
        },
    )


def weed(settings: Settings, paths: Paths) -> Service:
    """SeaweedFS with its S3 gateway; the ports of its other parts follow the S3 port."""
    data = paths.data("objectstore")
    first = settings.minio_port
    options = {
        "dir": str(data),
        "ip": LOOPBACK,
        "ip.bind": LOOPBACK,
        "s3.port": str(first),
        "s3.port.grpc": str(first + 20),
        "s3.port.iceberg": "0",
        "s3.port.lance": "0",
        "master.telemetry": "false",
        "master.port": str(first + 30),
        "master.port.grpc": str(first + 40),
        "volume.port": str(first + 50),
        "volume.port.grpc": str(first + 60),
        "filer.port": str(first + 70),
        "filer.port.grpc": str(first + 80),
        "webdav": "false",
        "admin.ui": "false",
    }
    return Service(
        name="seaweedfs",
        command=[
            str(paths.seaweedfs / "bin" / "weed"),
            "mini",
            *(f"-{name}={value}" for name, value in options.items()),
        ],
        directory=data,
        address=settings.s3_endpoint,
        environment={
            "AWS_ACCESS_KEY_ID": settings.s3_access_key,
            "AWS_SECRET_ACCESS_KEY": str(settings.s3_secret_key),
        },
    )


def mc_environment(settings: Settings) -> dict[str, str]:
    """Defaults for mc: this store under the alias `minio`."""
    endpoint = urlsplit(settings.s3_endpoint)
    login = f"{settings.s3_access_key}:{settings.s3_secret_key}"
    return {
        "MC_HOST_minio": f"{endpoint.scheme}://{login}@{endpoint.netloc}",
        "MC_CONFIG_DIR": os.fspath(settings.state_dir / "mc"),
    }
