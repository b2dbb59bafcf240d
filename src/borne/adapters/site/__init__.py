"""A whole site in one process: the file that describes it, its run on virtual time, its report.

`borne site FILE --until T` drives the engines of load management (`Master`, `Slave`) with an event
heap of its own: they exchange messages only, cars, building and meters are light models.
"""
