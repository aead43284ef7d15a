"""The clients of the object store; objectstore.py has everybody's keys.

Apart from the keys: the lander needs those alone, and starts without MinIO's client.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from minio.credentials.providers import IamAwsProvider, StaticProvider
from minio.minioadmin import MinioAdmin
from urllib3 import PoolManager, Retry, Timeout

from minio import Minio
from stack.base.settings import Settings
from stack.clients.objectstore import Keys


def client(
    settings: Settings, read_seconds: float = 10, retries: int = 0, login: Keys | None = None
) -> Minio:
    """An S3 client; its short time limits, and no second try, are for set-up and readiness.

    login: another's than the owner's.
    """
    keys = login or Keys(settings.s3_access_key, settings.s3_secret_key)
    return Minio(
        credentials=provider(keys) if keys.access_key else IamAwsProvider(),
        **where(settings, read_seconds, retries),
    )


def admin(settings: Settings) -> MinioAdmin:
    """MinIO's own interface."""
    owner = provider(Keys(settings.s3_access_key, settings.s3_secret_key))
    return MinioAdmin(credentials=owner, **where(settings, read_seconds=10, retries=0))


def provider(keys: Keys) -> StaticProvider:
    """A login as MinIO's clients take it."""
    return StaticProvider(keys.access_key, str(keys.secret_key))


def where(settings: Settings, read_seconds: float, retries: int) -> dict[str, Any]:
    """Endpoint, region and time limits of a client."""
    endpoint = urlsplit(settings.s3_endpoint)
    limits = Timeout(connect=3, read=read_seconds)
    return {
        "endpoint": endpoint.netloc,
        "region": settings.s3_region,
        "secure": endpoint.scheme == "https",
        "http_client": PoolManager(timeout=limits, retries=Retry(total=retries)),
    }


def create_bucket(settings: Settings) -> bool:
    """Create the bucket unless it is there; say whether it was made now."""
    store = client(settings)
    if store.bucket_exists(settings.s3_bucket):
        return False
    store.make_bucket(settings.s3_bucket)
    return True
