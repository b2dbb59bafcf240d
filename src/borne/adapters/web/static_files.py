"""The packaged files of the pages: read and compressed once, cached by browsers indefinitely.

`led.css` is generated from a table. Only names in the package are served, so path traversal is
impossible.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from borne.adapters.web import rings

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}
MADE = {"led.css": rings.stylesheet}
FOR_EVER = "public, max-age=31536000, immutable"
COMPRESS_FROM = 1000


@dataclass(frozen=True, slots=True)
class Packaged:
    """A file, plain and compressed."""

    content: bytes
    compressed: bytes | None
    media_type: str
    version: str


@cache
def packaged(name: str) -> Packaged | None:
    """A packaged file by name; None if unknown."""
    if name not in names():
        return None
    path = FOLDER / name
    content = MADE[name]().encode() if name in MADE else path.read_bytes()
    small = len(content) < COMPRESS_FROM or path.suffix == ".png"
    return Packaged(
        content,
        None if small else gzip.compress(content, 6, mtime=0),
        TYPES[path.suffix],
        hashlib.sha256(content).hexdigest()[:10],
    )


@cache
def names() -> frozenset[str]:
    """Names of all files."""
    files = (path for path in FOLDER.rglob("*") if path.is_file() and path.suffix in TYPES)
    return frozenset(path.relative_to(FOLDER).as_posix() for path in files) | MADE.keys()


def static_url(name: str) -> str:
    """The URL of a file, with its version."""
    file = packaged(name)
    if file is None:
        raise FileNotFoundError(name)
    return f"/static/{name}?v={file.version}"


async def serve(request: Request) -> Response:
    """GET /static/NAME."""
    file = packaged(request.path_params["name"])
    if file is None:
        return Response("not found", 404, media_type="text/plain")
    current = request.query_params.get("v") == file.version
    headers = {"Cache-Control": FOR_EVER if current else "no-cache", "ETag": f'"{file.version}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(None, 304, headers)
    headers["Vary"] = "Accept-Encoding"
    content = file.content
    if file.compressed and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        content = file.compressed
    return Response(content, 200, headers, file.media_type)
