"""Whose keys open the object store: a login each for the lander, Trino, rounds and people."""

from __future__ import annotations

from dataclasses import dataclass

from stack.base.settings import Secret, Settings

LANDER, TRINO, DBT, PEOPLE = USERS = ("lander", "trino", "dbt", "people")


@dataclass(frozen=True)
class Keys:
    """A login of the object store; both empty: the keys of the machine's role."""

    access_key: str
    secret_key: Secret


def has_users(settings: Settings) -> bool:
    """Whether the store is a MinIO of ours; SeaweedFS and Amazon's S3 get one login for all."""
    return settings.object_store == "minio" and settings.s3_access_key != ""


def keys_of(settings: Settings, user: str) -> Keys:
    """The login of one of USERS: its own, or the one for all where the store has no users."""
    if has_users(settings):
        return Keys(user, secrets_of(settings)[user])
    secret = settings.s3_secret_key if settings.s3_access_key else Secret()
    return Keys(settings.s3_access_key, secret)


def secrets_of(settings: Settings) -> dict[str, Secret]:
    """The secret key of each user."""
    return {
        LANDER: settings.s3_lander_secret_key,
        TRINO: settings.s3_trino_secret_key,
        DBT: settings.s3_dbt_secret_key,
        PEOPLE: settings.s3_people_secret_key,
    }
