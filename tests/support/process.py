"""`borne` as people start it: a process of its own, its lines, its exit code.

Most are copies of a process that has imported all (`process_template`), which spares half a second
of imports each. A new interpreter runs where a test asks for one, where it wants what a copy cannot
do (a `preexec_fn`), and where coverage follows into the process.
"""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.support.process_template import Copy, template
from tests.support.timeouts import TEST_TIMEOUT_S

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


def borne(
    *arguments: str | Path, stdin: str = "", new_interpreter: bool = False, **how: Any
) -> Ran:
    """Run a command to its end. A stack trace is never right."""
    texts = [str(argument) for argument in arguments]
    how = {"env": plain_environment(), **how}
    ran = _run_new if new_interpreter or not _copy_does(how) else _run_copy
    done = ran(texts, stdin, **how)
    assert not TRACE.search(done.out + done.err), done.err
    return done


def _run_new(arguments: Sequence[str], stdin: str, **how: Any) -> Ran:
    done = subprocess.run(
        command(*arguments),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=TEST_TIMEOUT_S,
        check=False,
        **how,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def _run_copy(arguments: Sequence[str], stdin: str, **how: Any) -> Ran:
    with (
        tempfile.TemporaryFile("w+") as given,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):
        given.write(stdin)
        given.seek(0)
        files = (given.fileno(), out.fileno(), err.fileno())
        running = template().start("borne", arguments, files, **how)
        try:
            code = running.wait(TEST_TIMEOUT_S)
        finally:
            running.kill()
        out.seek(0)
        err.seek(0)
        return Ran(code, out.read(), err.read())


def _copy_does(how: Mapping[str, Any]) -> bool:
    measured = any(name.startswith("COVERAGE_PROCESS") for name in how["env"])
    return not measured and how.keys() <= {"env", "cwd"}


def _start_copy(arguments: Sequence[str], **how: Any) -> tuple[Copy, IO[str], IO[str]]:
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        running = template().start("borne", arguments, (nothing, out_end, err_end), **how)
    finally:
        for each in (nothing, out_end, err_end):
            os.close(each)
    return running, os.fdopen(out), os.fdopen(err)


def _start_new(
    arguments: Sequence[str], **how: Any
) -> tuple[subprocess.Popen[str], IO[str], IO[str]]:
    running = subprocess.Popen(
        command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **how,
    )
    assert running.stdout is not None
    assert running.stderr is not None
    return running, running.stdout, running.stderr


def plain_environment() -> dict[str, str]:
    """The environment without variables that change the output."""
    return {k: v for k, v in os.environ.items() if k not in {"BORNE_TRACE", "BORNE_DATA"}}


def unmeasured_environment() -> dict[str, str]:
    """The same, and coverage does not measure the process."""
    return {k: v for k, v in plain_environment().items() if not k.startswith("COVERAGE_PROCESS")}


class Served:
    """A running `borne serve`."""

    def __init__(
        self, arguments: Sequence[str], *, new_interpreter: bool = False, **how: Any
    ) -> None:
        how = {"env": plain_environment(), **how}
        start = _start_new if new_interpreter or not _copy_does(how) else _start_copy
        self.process: subprocess.Popen[str] | Copy
        self.process, stdout, stderr = start(["serve", *arguments], **how)
        self.out: queue.Queue[str | None] = queue.Queue()
        self.err: queue.Queue[str | None] = queue.Queue()
        self.lines: list[str] = []
        self.page = ""
        self.link = ""
        self._pumps = [self._pump(stdout, self.out), self._pump(stderr, self.err)]

    def _pump(self, stream: IO[str], into: queue.Queue[str | None]) -> threading.Thread:
        def run() -> None:
            for line in stream:
                self.lines.append(line)
                into.put(line.rstrip("\n"))
            stream.close()
            into.put(None)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def wait_for_page(self) -> str:
        """Wait for the greeting; the address in it."""
        greeting = self.wait_for(self.out, r"on (http://\S+)$")
        self.page = greeting[1]
        self.link = self.wait_for(self.out, r"Log in once within 15 minutes: (\S+)$")[1]
        return self.page

    def wait_for(self, lines: queue.Queue[str | None], pattern: str) -> re.Match[str]:
        """The next line that matches."""
        while True:
            line = lines.get(timeout=TEST_TIMEOUT_S)
            assert line is not None, "".join(self.lines)
            found = re.search(pattern, line)
            if found:
                return found

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, once; the exit code."""
        self.process.send_signal(how)
        return self.wait()

    def wait(self) -> int:
        """The exit code of a process that ends by itself."""
        code = self.process.wait(timeout=TEST_TIMEOUT_S)
        for pump in self._pumps:
            pump.join(timeout=TEST_TIMEOUT_S)
        assert not TRACE.search("".join(self.lines)), "".join(self.lines)
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
