"""Charging at the sockets: connectors, meters, transactions, faults, lights, status."""
