"""Ports that are shared: what becomes of leases when a station ends."""

from __future__ import annotations

import pytest

from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.endpoint import TcpEndpoint

PORT = TcpEndpoint("192.0.2.7")


@pytest.mark.parametrize("ending", ["close", "abort"])
async def test_a_lease_may_be_given_back_after_the_end(ending: str) -> None:
    """A live test that is cancelled with its station gives its port back last."""
    buses = Buses()
    first = buses.lease(PORT)
    if ending == "close":
        await buses.close()
    else:
        buses.abort()
    await buses.release(PORT)
    again = buses.lease(PORT)
    assert again is not first
    assert buses.lease(PORT) is again
    await buses.close()
