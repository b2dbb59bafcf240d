"""One socket: pilot, connector machine, limits, metering, faults, indication."""
