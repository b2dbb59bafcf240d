"""A disk that fails where charging must go on."""

from __future__ import annotations

import logging

import pytest

from borne.application.ports.storage import StorageFailed, StorageFull
from borne.application.state.storage_failure import log_storage_failure

LOG = logging.getLogger("borne.test")


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR])
def test_what_follows_is_logged_and_the_rest_is_left_out(
    caplog: pytest.LogCaptureFixture, level: int
) -> None:
    done: list[str] = []
    with log_storage_failure(LOG, "cards are not kept", level):
        done.append("before")
        if done:
            raise StorageFull("the disk is full")
        done.append("after")
    assert done == ["before"]
    logged = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert logged == [(level, "cards are not kept: the disk is full")]


def test_nothing_is_logged_when_all_is_stored(caplog: pytest.LogCaptureFixture) -> None:
    with log_storage_failure(LOG, "cards are not kept"):
        pass
    assert caplog.records == []


@pytest.mark.parametrize("error", [OSError("no"), ValueError("no")])
def test_other_errors_are_for_the_caller(error: Exception) -> None:
    assert not isinstance(error, StorageFailed)
    with pytest.raises(type(error)), log_storage_failure(LOG, "cards are not kept"):
        raise error
