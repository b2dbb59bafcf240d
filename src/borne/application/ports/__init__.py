"""What the flows need from the world, as narrow protocols: a file for each counterpart."""
