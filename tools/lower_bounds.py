"""Runs tests with the oldest packages that pyproject.toml allows, in an environment of its own.

python -m tools.lower_bounds [PYTEST ARGS]     (without: the lanes unit and conformance)

The quality tools are not part of it: nobody installs them but we.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.pins import DEV_EXTRAS

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-lowest"
LANES = ("unit", "conformance")


def main() -> int:
    """Make the environment and run; pytest's exit code."""
    uv = str(Path(sys.executable).with_name("uv"))
    python = str(VENV / "bin" / "python")
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV], check=True)
    extras = [word for extra in DEV_EXTRAS for word in ("--extra", extra)]
    install = [uv, "pip", "install", "--quiet", "--python", python, "--resolution", "lowest-direct"]
    subprocess.run(
        [*install, "-r", "pyproject.toml", *extras, "--group", "test"], cwd=ROOT, check=True
    )
    site = next(VENV.glob("lib/python3*/site-packages"))
    (site / "borne-checkout.pth").write_text(f"{ROOT / 'src'}\n")
    lanes = [f"tests/{lane}" for lane in LANES if (ROOT / "tests" / lane).is_dir()]
    # What an old package deprecates, its newer versions settled: warnings do not count here.
    return subprocess.run(
        [python, "-m", "pytest", "-W", "default", *(sys.argv[1:] or ["-q", *lanes])],
        cwd=ROOT,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
