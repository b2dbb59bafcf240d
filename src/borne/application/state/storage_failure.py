"""Writes that may be lost when the disk is full or broken."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from borne.application.ports.storage import StorageFailed


@contextmanager
def log_storage_failure(
    log: logging.Logger, consequence: str, level: int = logging.ERROR
) -> Iterator[None]:
    """If the block raises StorageFailed, log the consequence and the reason, and go on after it."""
    try:
        yield
    except StorageFailed as error:
        log.log(level, "%s: %s", consequence, error)
