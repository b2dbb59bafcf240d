"""Starts a station as a newcomer would, from a clean clone and from the built wheel.

python -m tools.clean_start [clone|wheel ...]

A start counts when `/healthz` answers and the program ends by itself soon after SIGTERM.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SET_UP_S = 300.0
SECOND_START_S = 30.0
SHUTDOWN_TIMEOUT_S = 20.0


def free_port() -> int:
    """A port that is free at present."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """True if a request is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  an address of our own
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def start_and_stop(command: list[str], cwd: Path, within_s: float, **environment: str) -> float:
    """Seconds until the station answered; exits with a message if it does not start or stop."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="borne-data-") as data:
        began = time.monotonic()
        process = subprocess.Popen(
            [*command, "serve", "--data", data, "--host", "127.0.0.1", "--port", str(port)],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            env=os.environ | environment,
        )
        try:
            while not answers(f"http://127.0.0.1:{port}/healthz"):
                if process.poll() is not None:
                    sys.exit(f"{command[0]} ended with {process.returncode} before it answered")
                if time.monotonic() - began > within_s:
                    sys.exit(f"{command[0]} did not answer within {within_s:.0f} s")
                time.sleep(0.1)
            took_s = time.monotonic() - began
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(SHUTDOWN_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                sys.exit(f"{command[0]} did not stop within {SHUTDOWN_TIMEOUT_S:.0f} s of SIGTERM")
            if code not in (0, -signal.SIGTERM):
                sys.exit(f"{command[0]} stopped with {code}")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    return took_s


def from_clone(folder: Path) -> None:
    """Start a clone of the committed state twice; only the first start may install packages."""
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    first_s = start_and_stop(["./run"], clone, SET_UP_S)
    second_s = start_and_stop(["./run"], clone, SECOND_START_S)
    print(f"clean clone: first start {first_s:.1f} s, second {second_s:.1f} s")


def from_wheel(folder: Path) -> None:
    """Build the wheel and start from its content, to detect missing data files."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (wheel,) = folder.glob("*.whl")
    unpacked = folder / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    command = [sys.executable, "-m", "borne"]
    took_s = start_and_stop(command, folder, SECOND_START_S, PYTHONPATH=str(unpacked))
    print(f"wheel: start {took_s:.1f} s")


def main() -> int:
    """Run the named variants, or all."""
    ways = {"clone": from_clone, "wheel": from_wheel}
    for name in sys.argv[1:] or list(ways):
        with tempfile.TemporaryDirectory(prefix="borne-start-") as folder:
            ways[name](Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
