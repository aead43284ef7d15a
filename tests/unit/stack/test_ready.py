"""Readiness: a service that does not answer yet is described in few words."""

from __future__ import annotations

import pytest

from stack.base.errors import RetriableError
from stack.provision.ready import few_words

REFUSED = RetriableError("PostgreSQL at localhost:1", "connection refused", "start it")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (REFUSED, "connection refused"),
        (ValueError("no number\nsecond line"), "ValueError: no number"),
        (RetriableError("an answer", "", "start it"), "RetriableError"),
    ],
    ids=["one of ours", "a library's", "no words"],
)
def test_an_error_is_told_by_what_was_found(error: Exception, words: str) -> None:
    assert few_words(error) == words
