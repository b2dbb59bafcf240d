"""The strict central system of the npm package `ocpp-rpc`, in a process of its own. Its packages
are pinned with their hashes in `strict_node/package-lock.json` and kept in the user's cache."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.timeouts import TEST_TIMEOUT_S

HERE = Path(__file__).parent / "strict_node"
PINS = ("package.json", "package-lock.json")
INSTALL_S = 90
OLDEST_NODE = 18


class CouldNotInstall(Exception):
    """Node, npm or the packages are not available; the message says why."""


@functools.cache
def node_modules() -> tuple[str, Path]:
    """The program `node` and the folder of the packages; raises CouldNotInstall."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise CouldNotInstall("there is no Node.js with npm; on Debian: apt-get install nodejs npm")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        raise CouldNotInstall(f"Node.js {version.strip()} is older than {OLDEST_NODE}")
    pins = b"".join((HERE / name).read_bytes() for name in PINS)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "borne-tests"
    folder = cache / f"strict_node-{hashlib.sha256(pins).hexdigest()[:16]}"
    if not folder.exists():
        _install(npm, cache, folder)
    return node, folder / "node_modules"


def _install(npm: str, cache: Path, folder: Path) -> None:
    """All or nothing: an incomplete installation never gets the name."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as made:
        for name in PINS:
            shutil.copy(HERE / name, made)
        try:
            subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
                cwd=made,
                capture_output=True,
                text=True,
                timeout=INSTALL_S,
                check=True,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise CouldNotInstall("npm could not fetch the packages of ocpp-rpc") from error
        ready = Path(made) / "ready"
        ready.mkdir()
        (Path(made) / "node_modules").rename(ready / "node_modules")
        if not folder.exists():
            ready.rename(folder)


class NodeBackend:
    """The running central system. `received` has the station's requests in order, `invalid` all
    that its validation did not let pass."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.port = 0
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.invalid: list[dict[str, Any]] = []
        self._process = process
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._changed = asyncio.Condition()

    async def read(self) -> None:
        """Read its messages until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            await self._on_message(json.loads(line))

    async def _on_message(self, message: dict[str, Any]) -> None:
        match message:
            case {"listening": port}:
                self.port = port
            case {"received": action, "params": params}:
                self.received.append((action, params))
            case {"answer": number}:
                self._answers[number].set_result(message)
            case {"invalid": _}:
                self.invalid.append(message)
        async with self._changed:
            self._changed.notify_all()

    async def listening(self) -> None:
        """Wait until it listens."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: self.port), TEST_TIMEOUT_S)

    def of(self, action: str) -> list[dict[str, Any]]:
        """Requests of one kind."""
        return [params for sent, params in self.received if sent == action]

    async def wait_for(self, action: str, **wanted: Any) -> dict[str, Any]:
        """Wait for a request with these values; the first."""

        def found() -> list[dict[str, Any]]:
            return [p for p in self.of(action) if all(p.get(k) == v for k, v in wanted.items())]

        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(found), TEST_TIMEOUT_S)
        return found()[0]

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask the station; the answer, or {"code", "words"} of a CALLERROR."""
        number = next(self._numbers)
        waiting = self._answers[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        line = json.dumps({"id": number, "method": method, "params": params})
        self._process.stdin.write(f"{line}\n".encode())
        message = await asyncio.wait_for(waiting, TEST_TIMEOUT_S)
        message.pop("answer")
        return dict(message.get("result", message))


@asynccontextmanager
async def node_backend() -> AsyncIterator[NodeBackend]:
    """A strict central system on a free port; raises CouldNotInstall."""
    node, modules = await asyncio.to_thread(node_modules)
    process = await asyncio.create_subprocess_exec(
        node,
        str(HERE / "central_system.js"),
        env=os.environ | {"NODE_PATH": str(modules)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**20,
    )
    backend = NodeBackend(process)
    reading = asyncio.create_task(backend.read())
    try:
        await backend.listening()
        yield backend
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await reading
