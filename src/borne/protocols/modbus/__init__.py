"""Modbus over TCP, RTU over TCP and RTU on a serial line, for either side: codec, bus, server."""
