"""Tries a connection without using it: the steps up to WebSocket (manual 4, connection test).

For settings that are not saved yet. Nothing is said on the connection, not even BootNotification.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from borne.adapters.ocpp.charge_point.config import ConnectionConfig
from borne.adapters.ocpp.charge_point.connection import Connection, DialRoute
from borne.adapters.ocpp.charge_point.interfaces import Interfaces
from borne.adapters.ocpp.charge_point.ladder import ConnectFailed, Ladder
from borne.foundation.clock import Clock


async def probe(
    config: ConnectionConfig,
    clock: Clock,
    route: DialRoute | None = None,
    interfaces: Interfaces | None = None,
) -> list[dict[str, Any]]:
    """The ladder as far as it holds: step, state, detail, http_status of each rung."""
    ladder = Ladder(clock.now)
    connection = Connection(config, route=route, interfaces=interfaces)
    try:
        await connection.open(ladder)
        await connection.close()
    except ConnectFailed as error:
        ladder.failed(error.step, error.reason, error.http_status)
    finally:
        connection.abort()
    told = (asdict(result) for result in ladder.results())
    return [
        {name: rung[name] for name in ("step", "state", "detail", "http_status")} for rung in told
    ]
