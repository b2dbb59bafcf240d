"""Drivers of energy meters: Modbus in the network and on serial lines, and SMA Speedwire."""
