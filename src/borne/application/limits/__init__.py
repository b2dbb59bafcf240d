"""Who limits what is offered, and how it is shared among the own sockets."""
