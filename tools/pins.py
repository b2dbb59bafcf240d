"""Checks the pinned requirements, or updates them.

python -m tools.pins           fails if the pins do not match pyproject.toml or name an index
python -m tools.pins --update  newest versions, with hashes, for every Python and processor
python -m tools.pins --add     the same only for packages that are new in pyproject.toml
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = "requirements.txt"
DEV = "requirements-dev.txt"
# The extras of a station with all functions except hardware and large groups.
RUNTIME_EXTRAS = ("soap",)
DEV_EXTRAS = (*RUNTIME_EXTRAS, "large-groups")
DEV_GROUPS = ("test", "quality", "docs")


def canonical(name: str) -> str:
    """The normalized name of a package."""
    return re.sub(r"[-_.]+", "-", name).lower()


def required(
    project: dict[str, object], extras: tuple[str, ...], groups: tuple[str, ...]
) -> set[str]:
    """The normalized names of the direct requirements in pyproject.toml."""
    table = project["project"]
    dependency_groups = project["dependency-groups"]
    assert isinstance(table, dict)
    assert isinstance(dependency_groups, dict)
    lines = list(table["dependencies"])
    for extra in extras:
        lines += table["optional-dependencies"][extra]
    for group in groups:
        lines += dependency_groups[group]
    return {canonical(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) for line in lines}


def pins(path: Path) -> dict[str, set[str]]:
    """Pinned versions by normalized name; several if they differ by Python version."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(
        r"^([A-Za-z0-9._-]+)==([^\s;]+)", path.read_text(), re.MULTILINE
    ):
        found.setdefault(canonical(name), set()).add(version)
    return found


def problems(path: Path, wanted: set[str]) -> list[str]:
    """Problems of one requirements file."""
    text = path.read_text()
    wrong = [f"{path.name} lacks {name}" for name in sorted(wanted - pins(path).keys())]
    if "://" in text or re.search(r"^-", text, re.MULTILINE):
        wrong.append(f"{path.name} holds an address or an option; it must hold pins only")
    return wrong


def disagreements(runtime: Path, dev: Path) -> list[str]:
    """Packages whose versions differ between tests and a station."""
    held = pins(dev)
    return [
        f"{dev.name} pins another {name} than {runtime.name}"
        for name, versions in pins(runtime).items()
        if held.get(name) != versions
    ]


def update(*, upgrade: bool) -> None:
    """Write both files, with the newest versions or the ones already pinned."""
    uv = str(Path(sys.executable).with_name("uv"))
    options = ["--universal", "--python-version", "3.11", "--generate-hashes"]
    options += ["--quiet", "--no-header", "--no-annotate", "--no-emit-index-url"]
    options += ["--upgrade"] if upgrade else []
    compile_pins = [uv, "pip", "compile", *options, "pyproject.toml"]
    runtime = [word for extra in RUNTIME_EXTRAS for word in ("--extra", extra)]
    subprocess.run([*compile_pins, *runtime, "-o", RUNTIME], cwd=ROOT, check=True)
    dev = [word for extra in DEV_EXTRAS for word in ("--extra", extra)]
    dev += [word for group in DEV_GROUPS for word in ("--group", group)]
    subprocess.run([*compile_pins, *dev, "-c", RUNTIME, "-o", DEV], cwd=ROOT, check=True)


def main() -> int:
    """Check or update the pins; returns 0 if they are correct."""
    if sys.argv[1:] in (["--update"], ["--add"]):
        update(upgrade=sys.argv[1] == "--update")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wrong = problems(ROOT / RUNTIME, required(project, RUNTIME_EXTRAS, ()))
    wrong += problems(ROOT / DEV, required(project, DEV_EXTRAS, DEV_GROUPS))
    wrong += disagreements(ROOT / RUNTIME, ROOT / DEV)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
