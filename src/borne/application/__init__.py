"""What makes things happen: asynchronous flows that join decisions with the world by ports."""
