"""Keeps the limits of what is offered, and shares it among the station's own sockets."""
