"""Runs the tests with the oldest packages that pyproject.toml allows, in a separate environment.

python -m tools.lower_bounds [--python PYTHON] [ARGS OF ./run test]

Without `--python` it uses the interpreter that runs it. Linters are not included, as only
developers install them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tools.pins import DEV_EXTRAS

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-lowest"


def main() -> int:
    """Create the environment and run the lanes in it; returns their exit code."""
    parser = argparse.ArgumentParser(prog="tools.lower_bounds", allow_abbrev=False)
    parser.add_argument("--python", default=sys.executable)
    chosen, arguments = parser.parse_known_args()
    uv = str(Path(sys.executable).with_name("uv"))
    python = str(VENV / "bin" / "python")
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", chosen.python, VENV], check=True)
    extras = [word for extra in DEV_EXTRAS for word in ("--extra", extra)]
    install = [uv, "pip", "install", "--quiet", "--python", python, "--resolution", "lowest-direct"]
    subprocess.run(
        [*install, "-r", "pyproject.toml", *extras, "--group", "test"], cwd=ROOT, check=True
    )
    site = next(VENV.glob("lib/python3*/site-packages"))
    (site / "borne-checkout.pth").write_text(f"{ROOT / 'src'}\n")
    # Old packages emit warnings that newer versions do not, so warnings are not errors here.
    return subprocess.run(
        [python, "-m", "tools.lanes", "test", "-W", "default", *arguments], cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
