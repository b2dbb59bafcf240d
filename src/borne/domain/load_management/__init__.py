"""Distribution of a shared supply to several sockets: dynamic load management (manual 7).

The only allocator of the product: a station with two sockets on one supply line is a group of two.
All functions are pure functions of a snapshot.
"""
