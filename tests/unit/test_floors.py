"""The house's order: floors, the domain's purity, lanes. Import contracts are in pyproject.toml."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest
from importlinter.application.use_cases import read_user_options
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from tools.lanes import CAMPAIGN_LANES, LANES

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "borne"

# What gives another answer each time it is asked, or reaches out of the process.
IMPURE_CALLS = frozenset({
    "breakpoint", "date.today", "datetime.date.today", "datetime.datetime.now",
    "datetime.datetime.utcnow", "datetime.now", "datetime.utcnow", "input", "open", "print",
    "uuid.uuid1", "uuid.uuid4", "uuid1", "uuid4",
})  # fmt: skip
# Parts of the foundation that act: a decision has no use for them.
ACTING = ("borne.foundation.listener", "borne.foundation.logging", "borne.foundation.supervisor")


@pytest.fixture(autouse=True)
def _loggers_stay() -> Iterator[None]:
    """import-linter sets logging up in a way that switches every other logger off."""
    yield
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


def impurities(source: str) -> list[str]:
    """What in a module of the domain is not pure, as "LINE: WHAT"."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=function) if ast.unparse(function) in IMPURE_CALLS:
                found.append(f"{node.lineno}: {ast.unparse(function)}()")
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                found.append(f"{node.lineno}: waits")
            case ast.Global():
                found.append(f"{node.lineno}: global")
            case ast.ImportFrom(module=module) if module in ACTING:
                found.append(f"{node.lineno}: imports {module}")
    return found


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("from datetime import datetime\nnow = datetime.now()", "2: datetime.now()"),
        ("import datetime\nday = datetime.date.today()", "2: datetime.date.today()"),
        ("from uuid import uuid4\nname = uuid4()", "2: uuid4()"),
        ("table = open('table.csv')", "1: open()"),
        ("async def decide(): ...", "1: waits"),
        ("state = 0\ndef set():\n    global state\n    state = 1", "3: global"),
        (
            "from borne.foundation.supervisor import Supervisor",
            "1: imports borne.foundation.supervisor",
        ),
    ],
)
def test_an_impure_module_is_found(source: str, what: str) -> None:
    assert impurities(source) == [what]


def test_a_pure_module_passes() -> None:
    assert impurities("from datetime import datetime\ndef later(now: datetime): return now") == []


def test_the_domain_is_pure() -> None:
    found = {
        str(path.relative_to(ROOT)): wrong
        for path in SOURCE.glob("domain/**/*.py")
        if (wrong := impurities(path.read_text()))
    }
    assert found == {}


def test_imports_go_down_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS


def test_every_import_contract_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    contracts = {contract["id"] for contract in read_user_options().contracts_options}
    assert contracts == {
        "floors",
        "adapters",
        "rooms",
        "web-api",
        "pure",
        "application-speaks-through-ports",
    }


def test_every_test_is_in_a_lane() -> None:
    lanes = {lane.name for lane in (*LANES, *CAMPAIGN_LANES)}
    strays = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("test_*.py")
        if path.relative_to(ROOT / "tests").parts[0] not in lanes
    ]
    assert strays == []


def test_every_folder_of_modules_is_a_package() -> None:
    """A folder without __init__.py would be left out by the contracts without a word."""
    without = [
        str(folder.relative_to(ROOT))
        for folder in {path.parent for path in SOURCE.rglob("*.py")}
        if not (folder / "__init__.py").exists()
    ]
    assert without == []


def test_only_the_station_imports_the_connector_runner() -> None:
    """Everybody else sees the protocol: another EVSE may be run by somebody else."""
    runner = "borne.application.charging.connector_runner"
    importers = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if f"{runner} import" in path.read_text() or f"import {runner}" in path.read_text()
    }
    assert importers == {"application/composition/charging.py"}


# Events of the machine are posted by its owner alone; the journal of decisions can write them down.
OWNERS = {
    "application/charging/connector_runner.py",
    "application/charging/decided.py",
    "application/charging/machine_commands.py",
    "application/maintenance/decision_forms.py",
}


def test_only_the_runner_posts_events_of_the_machine() -> None:
    importers = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.glob("application/**/*.py")
        if "connector_events" in path.read_text()
    }
    assert importers == OWNERS


TYPES_OF_ARGUMENTS = "application/commands.py"
"""Holds types as values, which Python 3.11 has no better word for."""


def _annotations(tree: ast.Module) -> Iterator[tuple[int, ast.expr]]:
    """What the public functions, fields and names of a module are said to be."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if name == "__init__" or not name.startswith("_"):
                    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                    found = [argument.annotation for argument in every] + [node.returns]
                    yield from ((node.lineno, each) for each in found if each is not None)
            case ast.ClassDef(body=body) | ast.Module(body=body):
                for each in body:
                    match each:
                        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                            if not name.startswith("_"):
                                yield each.lineno, annotation


def says_any(source: str) -> list[int]:
    """Lines whose public types let everything through. What a coroutine yields and is sent says
    nothing: these two are never used."""
    return [
        line
        for line, annotation in _annotations(ast.parse(source))
        if "Any" in re.findall(r"\w+", ast.unparse(annotation).replace("Coroutine[Any, Any, ", ""))
    ]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def f(x: Any) -> None: ...", [1]),
        ("async def f() -> Mapping[str, Any]: ...", [1]),
        ("class A:\n    def __init__(self, *, x: list[Any]) -> None: ...", [2]),
        ("class A:\n    x: Any = None", [2]),
        ("Frame: TypeAlias = Mapping[str, Any]\nx: Any", [2]),
        ("def f(x: Coroutine[Any, Any, None]) -> Anything: ...", []),
        ("def _f(x: Any) -> Any: ...", []),
    ],
)
def test_any_is_found(source: str, lines: list[int]) -> None:
    assert says_any(source) == lines


def test_the_doors_of_the_application_say_what_passes() -> None:
    found = {
        str(path.relative_to(SOURCE)): lines
        for path in SOURCE.glob("application/**/*.py")
        if (lines := says_any(path.read_text("utf-8")))
    }
    assert found.keys() == {TYPES_OF_ARGUMENTS}


def test_there_are_no_circular_imports() -> None:
    graph = grimp.build_graph("borne")
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_the_host_does_not_import_the_simulation() -> None:
    """The simulation is chosen in one function; a file of real hardware would be another."""
    tree = ast.parse((SOURCE / "app.py").read_text())
    simulated = {
        name.asname or name.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and "simulation" in (node.module or "")
        for name in node.names
    }
    (host,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Host")
    used = {node.id for node in ast.walk(host) if isinstance(node, ast.Name)}
    assert simulated & used == set()
    assert simulated
