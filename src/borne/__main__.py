"""Entry point of `borne` and `python -m borne`; the commands are in `borne.cli`."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from borne.foundation.process_list import hide_secrets

INTERNAL_ERROR = 70
"""EX_SOFTWARE of sysexits.h."""

VISIBLE = "Every user of this machine can read the secret among the arguments: use --set-file."


def main() -> None:
    """Run the command line. A stack trace is only shown with BORNE_TRACE."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _end)
    if not hide_secrets(sys.argv):
        sys.stderr.write(VISIBLE + "\n")
    try:
        from borne.cli import app

        app()
    except BrokenPipeError:
        # The reader of the output has closed the pipe; do not flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        if os.environ.get("BORNE_TRACE"):
            raise
        from borne.foundation.logging import redact

        what = f"{type(error).__name__}: {redact(str(error))}"
        sentence = f"An internal error: {what}. BORNE_TRACE=1 shows details."
        sys.stderr.write(" ".join(sentence.split()) + "\n")
        raise SystemExit(INTERNAL_ERROR) from None


def _end(number: int, _: FrameType | None) -> None:
    """Exit on a signal that arrives before the station handles signals, with the shell's exit
    code."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
