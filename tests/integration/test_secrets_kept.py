"""Secrets stay where they belong: not in logs, answers and archives, nor in other files."""

from __future__ import annotations

import asyncio
import logging
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx

from borne.adapters.web import create_app
from borne.domain.principals import SYSTEM, Role
from borne.foundation.logging import RECENT
from tests.integration.ocpp.central import central_system
from tests.support.running_station import running_station

MARK = "geheim-"
KEY = MARK + "backend-0123456789"
PASSWORD = MARK + "password"
URL = "stille-url"
"""It may stand in the state of the station, not in what is handed out."""
WRONG = MARK + "guess-of-a-password"


async def test_no_secret_leaves_the_station(tmp_path: Path) -> None:
    """A backend that wants a password, a login, wrong guesses, and everything read afterwards."""
    RECENT.lines.clear()
    root, level = logging.getLogger("borne"), logging.getLogger("borne").level
    root.addHandler(RECENT)
    root.setLevel(logging.DEBUG)
    try:
        texts = await _all_answers(tmp_path)
    finally:
        root.removeHandler(RECENT)
        root.setLevel(level)
    texts["log"] = "\n".join(line for _, line in RECENT.lines)
    found = {name for name, text in texts.items() if MARK in text or URL in text}
    assert found == set()
    # The password of the backend must be sent as it is.
    assert await asyncio.to_thread(_holders, tmp_path, MARK) <= {"settings"}
    assert await asyncio.to_thread(_holders, tmp_path, "borne_") == set()


def _holders(folder: Path, mark: str) -> set[str]:
    """Files, or folders of them, in which the mark stands."""
    return {
        path.relative_to(folder).parts[0]
        for path in folder.rglob("*")
        if path.is_file() and mark.encode() in path.read_bytes()
    }


async def _all_answers(folder: Path) -> dict[str, str]:
    texts = {}
    async with central_system() as central:
        changes: dict[str, Any] = {
            "ConnectionType": "ethernet",
            "WebSocketsBackendURL": f"ws://127.0.0.1:{central.port}/ocpp?token={URL}",
            "ChargePointID": "CP-1",
            "AuthorizationKey": KEY,
        }
        async with running_station(folder, **changes) as station:
            await station.until_online()
            accounts = station.services.accounts
            await accounts.set_password(Role.OPERATOR, PASSWORD, SYSTEM)
            _, token = await accounts.create_token(Role.MANUFACTURER, "reader")
            app = httpx.ASGITransport(app=create_app(station.host), client=("127.0.0.1", 4711))
            base = "http://127.0.0.1:8080"
            async with httpx.AsyncClient(transport=app, base_url=base) as client:
                for password in (WRONG, PASSWORD):
                    data = {"name": "operator", "password": password}
                    answer = await client.post("/login", data=data)
                    texts[f"login {answer.status_code}"] = answer.text
                client.cookies.clear()
                client.headers["authorization"] = f"Bearer {token}"
                for path in (
                    "/metrics",
                    "/api/v1/backend/messages",
                    "/api/v1/status",
                ):
                    texts[path] = (await client.get(path)).text
                packed = await client.get("/settings/system/logs.zip")
                with ZipFile(BytesIO(packed.content)) as archive:
                    assert {"log.jsonl", "settings.json"} <= set(archive.namelist())
                    for name in archive.namelist():
                        texts[name] = archive.read(name).decode()
            assert token not in "".join(texts.values())
    return texts
