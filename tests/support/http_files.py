"""A small HTTP server that keeps files: GET, PUT and POST by path."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class HttpFiles:
    """`/denied` needs rights that no user has; `refused` methods are answered with 405."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.authorizations: list[str] = []
        self.refused: set[str] = set()
        self.location = ""


def _handler(files: HttpFiles) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self, status: int, content: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _refuses(self) -> bool:
            files.authorizations.append(self.headers.get("Authorization", ""))
            if self.path.startswith("/denied"):
                self._answer(403)
                return True
            if self.command in files.refused:
                self._answer(405)
                return True
            return False

        def do_GET(self) -> None:
            if self._refuses():
                return
            content = files.files.get(self.path)
            if content is None:
                self._answer(404)
            else:
                self._answer(200, content)

        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if not self._refuses():
                files.files[self.path] = content
                self._answer(201)

        do_POST = do_PUT  # noqa: N815 -- named by the library

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    return Handler


@contextmanager
def http_files(context: ssl.SSLContext | None = None) -> Iterator[HttpFiles]:
    """A server while the block runs."""
    files = HttpFiles()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(files))
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "https" if context else "http"
    files.location = f"{scheme}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
