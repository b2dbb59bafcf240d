"""What a station is composed of, room by room: services are built and joined here, nowhere else."""
