"""What decides: pure state machines and functions. No I/O, no waiting, no clock, no chance."""
