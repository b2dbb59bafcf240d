"""The control socket: how the command line reaches a running station on the same machine."""
