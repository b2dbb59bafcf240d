"""What is not worth failing for when the disk is full or broken."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from borne.application.ports.storage import StorageFailed


@contextmanager
def log_storage_failure(
    log: logging.Logger, consequence: str, level: int = logging.ERROR
) -> Iterator[None]:
    """Leave the block when nothing can be stored, and go on behind it; the log says what follows
    from that, and why."""
    try:
        yield
    except StorageFailed as error:
        log.log(level, "%s: %s", consequence, error)
