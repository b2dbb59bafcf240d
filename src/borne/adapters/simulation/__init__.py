"""A simulated street, and the hardware of stations on it: first-class citizens of the ports."""
