"""A process that has imported `borne` once, and forks a copy for each program that is to run.

Importing costs half a second each time, a copy some milliseconds. A copy is a process of its own:
own identity, files, folder, environment, signals and exit code. What it cannot show is the start of
the interpreter itself, and its line in the process list is that of the template.

    python -m tests.support.process_template DESCRIPTOR

The descriptor is one end of a socket pair. A datagram on it is a program (JSON, see `Program`) with
four open files: its standard input, output and error, and a pipe. The template writes the number of
the new process into the pipe and, when that has ended, its exit code as `os.waitstatus_to_exitcode`
tells it.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

IMPORTED = (
    "borne.adapters.control.socket",
    "borne.adapters.web.factory",
    "borne.cli",
    "borne.foundation.http_protocol",
    "borne.serve",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.http.h11_impl",
)
LONGEST_PROGRAM = 1 << 17
ROOT = Path(__file__).resolve().parents[2]


class Copy:
    """A running copy, with the methods of `subprocess.Popen`."""

    def __init__(self, status_fd: int) -> None:
        self._status = os.fdopen(status_fd, "rb", buffering=0)
        self.pid = int(self._status.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, when it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; the exit code."""
        if self.returncode is None:
            with selectors.DefaultSelector() as ready:
                ready.register(self._status, selectors.EVENT_READ)
                if not ready.select(timeout):
                    raise subprocess.TimeoutExpired(f"copy {self.pid}", timeout or 0)
            self.returncode = int(self._status.readline())
            self._status.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """At once."""
        self.send_signal(signal.SIGKILL)


class Template:
    """The template of this process, started when it is first needed."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.process_template", str(theirs.fileno())],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_PROCESS")},
            )
        self._socket = ours
        self._one_at_a_time = threading.Lock()
        atexit.register(self.close)

    def start(
        self,
        module: str,
        arguments: Sequence[str],
        files: tuple[int, int, int],
        *,
        env: Mapping[str, str],
        cwd: str | os.PathLike[str] | None = None,
    ) -> Copy:
        """Run `python -m MODULE ARGUMENTS`."""
        status_fd, telling = os.pipe()
        program = json.dumps([module, *arguments, dict(env), os.fspath(cwd or Path.cwd())])
        try:
            with self._one_at_a_time:
                socket.send_fds(self._socket, [program.encode()], [*files, telling])
        finally:
            os.close(telling)
        return Copy(status_fd)

    def close(self) -> None:
        """It ends when no process can ask it any more."""
        self._socket.close()
        self._process.wait()


@functools.cache
def template() -> Template:
    """The template of this process."""
    return Template()


def stop_template() -> None:
    """End the one of this process, if there is one: its seconds of CPU are known then."""
    if template.cache_info().currsize:
        template().close()
        template.cache_clear()


def _main(descriptor: int) -> None:
    for name in IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    copies: dict[int, tuple[int, int]] = {}
    """The number and the pipe of each running copy, by a descriptor of its process."""
    with socket.socket(fileno=descriptor) as asked, selectors.DefaultSelector() as ready:
        ready.register(asked, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fd != descriptor:
                    ready.unregister(key.fd)
                    _report_end(key.fd, *copies.pop(key.fd))
                    continue
                message, files, _, _ = socket.recv_fds(asked, LONGEST_PROGRAM, 4)
                if not message:
                    return
                pid = os.fork()
                if pid == 0:
                    ready.close()
                    asked.close()
                    for number in (*copies, *(pipe for _, pipe in copies.values()), files[3]):
                        os.close(number)
                    _become(json.loads(message), files[:3])
                for number in files[:3]:
                    os.close(number)
                os.write(files[3], b"%d\n" % pid)
                process = os.pidfd_open(pid)
                copies[process] = (pid, files[3])
                ready.register(process, selectors.EVENT_READ)


def _report_end(process: int, pid: int, pipe: int) -> None:
    status = os.waitpid(pid, 0)[1]
    with contextlib.suppress(BrokenPipeError):
        os.write(pipe, b"%d\n" % os.waitstatus_to_exitcode(status))
    os.close(pipe)
    os.close(process)


def _become(program: list[Any], files: Sequence[int]) -> None:
    """Run the program to its end, as the interpreter would."""
    module, *arguments, environment, folder = program
    for number, given in enumerate(files):
        os.dup2(given, number)
        os.close(given)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [module, *arguments]
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    code: object = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    if code is not None and not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
        code = 1
    _end(code or 0)


def _end(code: int) -> None:
    threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does first
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code & 0xFF)


if __name__ == "__main__":
    _main(int(sys.argv[1]))
