"""Clock, events, units, supervision of tasks, listeners, logging: knows nothing of charging."""
