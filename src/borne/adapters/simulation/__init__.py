"""A simulated plant: a world of sockets, vehicles and a building, and the hardware of stations in
it."""
