"""The check of a newcomer's start fails when a start is not one; with stand-ins for `borne`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import clean_start

SERVES = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
    def log_message(self, *_): pass
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
IGNORES_SIGTERM = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
LATE_FAULT = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"


def start(folder: Path, program: str, within_s: float = 20.0) -> float:
    (folder / "program.py").write_text(program)
    return clean_start.start_and_stop([sys.executable, "program.py"], folder, within_s)


def test_a_station_that_answers_and_stops_passes(tmp_path: Path) -> None:
    assert start(tmp_path, SERVES) < 20


@pytest.mark.parametrize(
    ("program", "start_s", "stop_s", "sentence"),
    [
        pytest.param("raise SystemExit(2)", 20.0, 20.0, "ended with 2 before", id="ends at once"),
        pytest.param("import signal\nsignal.pause()", 0.3, 20.0, "did not answer", id="silent"),
        pytest.param(IGNORES_SIGTERM + SERVES, 20.0, 0.3, "did not stop", id="does not stop"),
        pytest.param(LATE_FAULT + SERVES, 20.0, 20.0, "stopped with 3", id="stops badly"),
    ],
)
def test_a_failed_start_is_described(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: str,
    start_s: float,
    stop_s: float,
    sentence: str,
) -> None:
    monkeypatch.setattr(clean_start, "SHUTDOWN_TIMEOUT_S", stop_s)
    with pytest.raises(SystemExit, match=sentence):
        start(tmp_path, program, start_s)
