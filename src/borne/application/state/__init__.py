"""Stored facts of the station: how they are read, how long they are kept, and the notices when some
are damaged."""
