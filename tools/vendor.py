"""Downloads third-party files for the web pages, and builds the icon sprite and the manifest.

Run `python -m tools.vendor` to update them. The manifest lists version, licence and SHA-256 of each
file; a test compares them with the files.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "src/borne/adapters/web/static"
VENDOR = STATIC / "vendor"

ICONS = """
layout-dashboard history settings flask-conical cloud cloud-off id-card user circle-check clock
plug zap circle-pause hourglass circle-minus triangle-alert unplug circle-help share-2 clock-alert
menu x check copy lock lock-open undo-2 search download trash-2 plus chevron-right chevron-down
arrow-left arrow-up arrow-down power power-off log-out sun moon monitor languages info circle-x
car thermometer network gauge sliders-horizontal shield-check wrench list key-round eye play
square refresh-cw rotate-ccw building-2 octagon-alert ellipsis external-link link cable filter
circle-dot message-square-text server circle
""".split()


@dataclass(frozen=True)
class Part:
    """A third-party file, used unchanged."""

    package: str
    version: str
    licence: str
    inside: str
    target: Path


PARTS = (
    Part("htmx.org", "4.0.1", "0BSD", "dist/htmx.min.js", VENDOR / "htmx.min.js"),
    Part("htmx.org", "4.0.1", "0BSD", "dist/ext/hx-sse.min.js", VENDOR / "hx-sse.min.js"),
    Part("uplot", "1.6.32", "MIT", "dist/uPlot.iife.min.js", VENDOR / "uplot.min.js"),
    Part("uplot", "1.6.32", "MIT", "dist/uPlot.min.css", VENDOR / "uplot.min.css"),
)
LICENCES = (
    Part("htmx.org", "4.0.1", "0BSD", "LICENSE", VENDOR / "LICENSE.htmx"),
    Part("uplot", "1.6.32", "MIT", "LICENSE", VENDOR / "LICENSE.uplot"),
    Part("lucide-static", "1.62.0", "ISC AND MIT", "LICENSE", VENDOR / "LICENSE.lucide"),
)
LUCIDE = ("lucide-static", "1.62.0", "ISC AND MIT")


def unpack(package: str, version: str, folder: Path) -> Path:
    """Download and unpack a package."""
    target = folder / f"{package}-{version}"
    if not target.exists():
        subprocess.run(
            ["npm", "pack", "--silent", f"{package}@{version}", "--pack-destination", str(folder)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        with tarfile.open(folder / f"{package}-{version}.tgz") as archive:
            archive.extractall(target, filter="data")
    return target / "package"


def sprite(icons: Path) -> str:
    """An SVG with a symbol for each icon."""
    symbols = []
    for name in sorted(ICONS):
        text = (icons / f"{name}.svg").read_text()
        shapes = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
        shapes = re.sub(r"\s+", " ", shapes).replace("> <", "><").strip()
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "\n".join(symbols) + "</svg>\n"


def main() -> None:
    """Download all files and write the manifest."""
    records = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in (*PARTS, *LICENCES):
            content = (unpack(part.package, part.version, folder) / part.inside).read_bytes()
            part.target.parent.mkdir(parents=True, exist_ok=True)
            part.target.write_bytes(content)
            records.append(record(part, content))
        icons = sprite(unpack(*LUCIDE[:2], folder) / "icons").encode()
    (STATIC / "icons.svg").write_bytes(icons)
    inside = "icons/*.svg, joined"
    records.append(record(Part(*LUCIDE, inside, STATIC / "icons.svg"), icons))
    (VENDOR / "manifest.json").write_text(json.dumps(records, indent=1) + "\n")


def record(part: Part, content: bytes) -> dict[str, str]:
    """An entry of the manifest."""
    line = asdict(part) | {"target": part.target.relative_to(ROOT).as_posix()}
    return line | {"sha256": hashlib.sha256(content).hexdigest()}


if __name__ == "__main__":
    main()
