"""`borne` as people start it: a process of its own, its lines, its exit code."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

WAIT_S = 30.0
TRACE = re.compile(r"Traceback|File \"")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The only line on standard error."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "borne", *arguments]


def borne(*arguments: str | Path, stdin: str = "", **how: Any) -> Ran:
    """Run a command to its end. A stack trace is never right."""
    done = subprocess.run(
        command(*map(str, arguments)),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
        **{"env": plain_environment(), **how},
    )
    assert not TRACE.search(done.stdout + done.stderr), done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def plain_environment() -> dict[str, str]:
    """Without what changes the output."""
    return {k: v for k, v in os.environ.items() if k not in {"BORNE_TRACE", "BORNE_DATA"}}


def unmeasured_environment() -> dict[str, str]:
    """Plain, and coverage does not follow into the process: it imports and writes by itself."""
    return {k: v for k, v in plain_environment().items() if not k.startswith("COVERAGE_PROCESS")}


class Served:
    """A running `borne serve`."""

    def __init__(self, arguments: Sequence[str], **how: Any) -> None:
        self.process = subprocess.Popen(
            command("serve", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=plain_environment(),
            **how,
        )
        self.out: queue.Queue[str | None] = queue.Queue()
        self.err: queue.Queue[str | None] = queue.Queue()
        self.said: list[str] = []
        self.page = ""
        self.link = ""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._pumps = [
            self._pump(self.process.stdout, self.out),
            self._pump(self.process.stderr, self.err),
        ]

    def _pump(self, stream: IO[str], into: queue.Queue[str | None]) -> threading.Thread:
        def run() -> None:
            for line in stream:
                self.said.append(line)
                into.put(line.rstrip("\n"))
            stream.close()
            into.put(None)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def wait_for_page(self) -> str:
        """Until the greeting; the address it names."""
        greeting = self.wait_for(self.out, r"on (http://\S+)$")
        self.page = greeting[1]
        self.link = self.wait_for(self.out, r"Log in once within 15 minutes: (\S+)$")[1]
        return self.page

    def wait_for(self, lines: queue.Queue[str | None], pattern: str) -> re.Match[str]:
        """The next line that matches."""
        while True:
            line = lines.get(timeout=WAIT_S)
            assert line is not None, "".join(self.said)
            found = re.search(pattern, line)
            if found:
                return found

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, once; the exit code."""
        self.process.send_signal(how)
        return self.wait()

    def wait(self) -> int:
        """The exit code of a process that ends by itself."""
        code = self.process.wait(timeout=WAIT_S)
        for pump in self._pumps:
            pump.join(timeout=WAIT_S)
        assert not TRACE.search("".join(self.said)), "".join(self.said)
        return code


@contextmanager
def served(*arguments: str | Path, **how: Any) -> Iterator[Served]:
    """A station on a free port while the block runs."""
    running = Served([*map(str, arguments), "--port", "0"], **how)
    try:
        running.wait_for_page()
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.wait()


def get(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
    """Status and body of a plain GET without proxies and redirects."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
    with opener.open(urllib.request.Request(url, headers=dict(headers or {}))) as answer:
        body = answer.read().decode()
        kind = answer.headers.get_content_type()
        return answer.status, json.loads(body) if kind == "application/json" else body


class _Stay(urllib.request.HTTPRedirectHandler):
    def http_error_302(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any) -> Any:
        return fp

    http_error_303 = http_error_307 = http_error_302
