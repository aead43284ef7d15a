"""Who may touch which prefix of the bucket: MinIO's users and their policies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from minio.error import MinioAdminException
from urllib3.exceptions import HTTPError

from stack.base.errors import RetriableError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Secret, Settings
from stack.clients.objectstore import USERS, has_users, secrets_of
from stack.clients.s3 import admin

POLICIES = PROJECT_ROOT / "minio" / "policies"
BUCKET_PLACEHOLDER = "BUCKET"


class UserStore(Protocol):
    """What is asked of MinIO's own interface."""

    def policy_add(self, policy_name: str, *, policy: dict[str, Any]) -> object:
        """Make a policy or replace it."""

    def user_add(self, access_key: str, secret_key: str) -> object:
        """Make a user or change its secret key."""

    def policy_set(self, policy_name: str, user: str) -> object:
        """Give a user this policy and no other."""


def policy(user: str, bucket: str) -> dict[str, Any]:
    """What a user may do with the bucket."""
    text = (POLICIES / f"{user}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text.replace(BUCKET_PLACEHOLDER, bucket))
    return document


def apply(settings: Settings) -> bool:
    """Make the users and give each its policy; safe to run again. False: the store has none.

    A changed secret key or policy file takes effect at once. Raises RetriableError if the store
    refuses or does not answer.
    """
    if not has_users(settings):
        return False
    try:
        apply_to(admin(settings), settings.s3_bucket, secrets_of(settings))
    except (MinioAdminException, HTTPError) as error:
        raise RetriableError(
            f"users {', '.join(USERS)} in the object store at {settings.s3_endpoint}",
            f"{type(error).__name__}: {error}"[:200],
            "see the log of the store, then run ./initial-setup.sh again",
        ) from error
    return True


def apply_to(store: UserStore, bucket: str, known: Mapping[str, Secret]) -> None:
    """Make the users and give each its policy."""
    for user, secret in known.items():
        store.policy_add(user, policy=policy(user, bucket))
        store.user_add(user, str(secret))
        store.policy_set(user, user=user)
