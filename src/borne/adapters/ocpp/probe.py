"""Tests a connection up to WebSocket without using it (manual 4, connection test).

For settings that are not saved yet. No OCPP message is sent.
"""

from __future__ import annotations

from collections.abc import Sequence

from borne.adapters.ocpp.charge_point.config import ConnectionConfig
from borne.adapters.ocpp.charge_point.connection import BackendConnection, DialRoute
from borne.adapters.ocpp.charge_point.connection_steps import ConnectFailed, ConnectionSteps
from borne.adapters.ocpp.charge_point.interfaces import Interfaces
from borne.application.ports.backend import StepResult
from borne.foundation.clock import Clock


async def probe(
    config: ConnectionConfig,
    clock: Clock,
    route: DialRoute | None = None,
    interfaces: Interfaces | None = None,
) -> Sequence[StepResult]:
    """The results of the steps."""
    steps = ConnectionSteps(clock.now)
    connection = BackendConnection(config, route=route, interfaces=interfaces)
    try:
        await connection.open(steps)
        await connection.close()
    except ConnectFailed as error:
        steps.failed(error.step, error.reason, error.http_status)
    finally:
        connection.abort()
    return steps.results()
