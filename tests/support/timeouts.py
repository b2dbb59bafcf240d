"""How long a test waits for what happens at once on a quiet machine."""

TEST_TIMEOUT_S = 60.0
"""Only a failure lasts so long. A machine that runs other tests beside may take ten seconds for
what takes one, and that is no failure."""
