"""The command line `borne`: runs a station, and executes commands on the machine itself.

Every error is one line on standard error: exit code 2 for invalid input, 1 for a failure.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from typer.core import TyperGroup

app = typer.Typer(
    name="borne",
    help="The open software of an AC charging station.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    add_completion=True,
)


class _MeterCommands(TyperGroup):
    """The commands of `borne.meter_cli`, imported when one is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return self._loaded().list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return self._loaded().get_command(ctx, cmd_name)

    @staticmethod
    def _loaded() -> TyperGroup:
        from borne.meter_cli import meter_app

        return typer.main.get_group(meter_app)


settings_app = typer.Typer(help="Read and change settings.", no_args_is_help=True)
user_app = typer.Typer(help="Accounts of people.", no_args_is_help=True)
token_app = typer.Typer(help="Tokens for the API.", no_args_is_help=True)
meter_app = typer.Typer(
    cls=_MeterCommands, help="Read and find energy meters.", no_args_is_help=True
)
app.add_typer(settings_app, name="settings")
app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")
app.add_typer(meter_app, name="meter")

DEFAULT_DATA = Path(os.environ.get("BORNE_DATA", "data"))
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8080
STARTING_S = 5.0
"""A station that starts or stops holds the folder's lock for some time without answering."""
RETRY_S = 0.05
MAX_SET_FILE_BYTES = 256 * 1024

# Typer does not check the path: the code that opens it gives a readable error.
Data = Annotated[Path, typer.Option("--data", readable=False, help="Folder of the station's data.")]
RoleName = Annotated[str, typer.Option("--role", help="user, operator, installer or manufacturer.")]
SetFile = Annotated[
    Path | None,
    typer.Option(
        "--set-file",
        metavar="FILE",
        readable=False,
        help="Settings as KEY=VALUE, one per line; - reads standard input. For secrets.",
    ),
]


def _fail(message: str, code: int = 1) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(code)


@app.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    """Without a command: a simulated station on http://127.0.0.1:8080."""
    if context.invoked_subcommand is None:
        _serve(DEFAULT_DATA, DEFAULT_HOST, DEFAULT_PORT, None, 1.0, {})


@app.command()
def serve(
    data: Data = DEFAULT_DATA,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = DEFAULT_HOST,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 uses a free one.")] = DEFAULT_PORT,
    hardware: Annotated[
        Path | None, typer.Option(help="Description of real hardware; without it, a simulation.")
    ] = None,
    speed: Annotated[
        float, typer.Option(min=1.0, max=1000.0, help="Run simulated time this many times faster.")
    ] = 1.0,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Store a setting before the start."),
    ] = None,
    set_file: SetFile = None,
    fresh_world: Annotated[
        bool, typer.Option("--fresh-world", help="Discard the simulated cars, meters and causes.")
    ] = False,
) -> None:
    """Run a station until interrupted."""
    changes = _changes(set_ or [], set_file)
    _serve(data, host, port, hardware, speed, changes, fresh_world=fresh_world)


def _serve(
    data: Path,
    host: str,
    port: int,
    hardware: Path | None,
    speed: float,
    changes: dict[str, str],
    *,
    fresh_world: bool = False,
) -> None:
    from borne.data_folder import CannotUse
    from borne.serve import ServeOptions
    from borne.serve import serve as run

    if hardware is not None:
        raise _fail("Real hardware is not supported by this version; leave out --hardware.", 2)
    try:
        run(ServeOptions(data, host, port, speed, tuple(changes.items()), fresh_world))
    except CannotUse as error:
        raise _fail(str(error), error.code) from None


@app.command()
def site(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", readable=False, help="Description of the site, TOML.")
    ],
    until: Annotated[
        str,
        typer.Option(metavar="T", help="Run on virtual time until 24h, 90m, 18:30 or 3600."),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="With --until: folder for curves, causes, a picture."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the stations; else a temporary one."),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=1.0, max=1000.0, help="Run simulated time this many times faster.")
    ] = 1.0,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the master; the next ones for its slaves.")
    ] = DEFAULT_PORT,
) -> None:
    """Run a whole site in one process: master, slaves, meter, building and cars.

    As real stations with a web page each, until interrupted. With --until on virtual time:
    prints figures as JSON. Exit code 0: done, 1: more flowed than the computed bound,
    2: the file or an option is wrong.
    """
    from borne.site_cli import SiteOptions, run

    raise typer.Exit(run(SiteOptions(file, until, out, speed, port, data)))


def _changes(texts: Sequence[str], file: Path | None) -> dict[str, str]:
    """The changes from file and arguments; arguments take precedence."""
    return _from_file(file) | _assignments(texts)


def _from_file(file: Path | None) -> dict[str, str]:
    from borne.application.maintenance.local_commands import CommandRefused, parse_lines

    if file is None:
        return {}
    try:
        with contextlib.ExitStack() as opened:
            source = sys.stdin.buffer if str(file) == "-" else opened.enter_context(file.open("rb"))
            content = source.read(MAX_SET_FILE_BYTES + 1)
        if len(content) > MAX_SET_FILE_BYTES:
            raise _fail(f"{file} is larger than {MAX_SET_FILE_BYTES // 1024} kB.", 2)
        return parse_lines(content.decode())
    except CommandRefused as refused:
        raise _fail(str(refused), 2) from None
    except UnicodeDecodeError:
        raise _fail(f"{file} is not UTF-8 text.", 2) from None
    except OSError as error:
        raise _fail(f"{file} cannot be read: {error.strerror}.", 2) from None


def _assignments(texts: Sequence[str]) -> dict[str, str]:
    from borne.application.maintenance.local_commands import CommandRefused, parse_assignments

    try:
        return parse_assignments(texts)
    except CommandRefused as refused:
        raise _fail(str(refused), 2) from None


@app.command()
def version() -> None:
    """Print the version."""
    from borne import __version__

    typer.echo(f"borne {__version__}")


@settings_app.command("list")
def settings_list(
    data: Data = DEFAULT_DATA,
    changed: Annotated[bool, typer.Option(help="Only those that differ from default.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """All settings with their values."""
    rows = _command(data, "settings-list", {})["settings"]
    shown = [row for row in rows if row["changed"] or not changed]
    if as_json:
        typer.echo(json.dumps(shown, indent=1, ensure_ascii=False))
        return
    for row in shown:
        remark = "" if row["active"] else "  (planned)"
        typer.echo(f"{row['name']} = {row['text']}{remark}")


@settings_app.command("get")
def settings_get(key: str, data: Data = DEFAULT_DATA) -> None:
    """The value of one setting, in the form that `set` accepts; a secret is only shown as set."""
    typer.echo(_command(data, "settings-get", {"name": key})["text"])


@settings_app.command("set")
def settings_set(
    pairs: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...")] = None,
    data: Data = DEFAULT_DATA,
    set_file: SetFile = None,
) -> None:
    """Change settings: KEY=VALUE ... (all or none)."""
    if not pairs and set_file is None:
        raise _fail("Give KEY=VALUE, or --set-file FILE.", 2)
    result = _command(data, "settings-set", {"changes": _changes(pairs or [], set_file)})
    for name in result["applied"]:
        later = " (after a restart)" if name in result["restart_required"] else ""
        typer.echo(f"{name}: stored{later}")


@user_app.command("set-password")
def set_password(role: str, data: Data = DEFAULT_DATA) -> None:
    """Set the password of a role; it is read from the terminal or from standard input."""
    _check_role(role)
    if sys.stdin.isatty():
        password = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    _command(data, "set-password", {"role": role, "password": password})
    typer.echo(f"The password of {role} is set.")


@app.command("login-link")
def login_link(
    role: RoleName,
    data: Data = DEFAULT_DATA,
    url: Annotated[
        str | None,
        typer.Option(help="Address of the web interface, if the station cannot know it."),
    ] = None,
) -> None:
    """A link that logs in once, from this machine, within 15 minutes."""
    from borne.application.maintenance.local_commands import link_note

    answer = _command(data, "login-link", {"role": role})
    page = url or answer["page"] or f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"
    typer.echo(f"{page.rstrip('/')}{answer['path']}")
    note = link_note(urlsplit(page).hostname or "") if url is None else ""
    if note:
        typer.echo(note, err=True)
    if answer["page"] is None:
        typer.echo(f"No station runs on {data}: start it before you open the link.", err=True)


@token_app.command("create")
def token_create(
    role: RoleName,
    name: Annotated[str, typer.Option(help="Purpose of the token.")] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """A token for the API; it is shown this once."""
    typer.echo(_command(data, "token-create", {"role": role, "name": name})["token"])


@app.command()
def vectors(file: Path) -> None:
    """Run load-management vectors; a line for each failing one, then the counts."""
    from borne.application.load_management.vectors import main

    raise typer.Exit(main(file))


@app.command()
def replay(file: Path) -> None:
    """Repeat the decisions of a journal and compare: DATA/decisions.jsonl and the older files
    beside it."""
    from borne.adapters.storage.decision_files import files_of_journal, whole_lines
    from borne.application.maintenance.decision_journal import main

    try:
        paths = files_of_journal(file)
        names = [path.name if len(paths) > 1 else "" for path in paths]
        raise typer.Exit(main(zip(names, map(whole_lines, paths), strict=True)))
    except (OSError, ValueError) as error:
        raise _fail(f"{file}: {error}.", 2) from None


def _check_role(role: str) -> None:
    from borne.domain.principals import Role

    names = [known.value for known in Role]
    if role not in names:
        raise _fail(f"The role must be one of {', '.join(names)}.", 2)


def _command(data: Path, command: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Run a command in the running station, or in this process under the folder's lock."""
    from borne.adapters.control.socket import NoStation, send_command

    deadline = time.monotonic() + STARTING_S
    while True:
        with contextlib.suppress(NoStation):
            return _result(send_command(data, command, arguments))
        answer, in_use = _offline(data, command, arguments)
        if answer is not None:
            for notice in answer["notices"]:
                typer.echo(notice, err=True)
            return answer
        if time.monotonic() > deadline:
            raise _fail(f"The station does not answer: {in_use}")
        time.sleep(RETRY_S)


def _offline(
    data: Path, command: str, arguments: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, str]:
    """The result, or a message about the process that holds the folder."""
    from borne.adapters.storage.lock import FolderInUse
    from borne.application.maintenance.local_commands import CommandFailed, CommandRefused
    from borne.data_folder import CannotUse, run_offline

    try:
        return dict(run_offline(data, command, arguments)), ""
    except FolderInUse as busy:
        return None, str(busy)
    except CommandRefused as refused:
        raise _fail(str(refused), 2) from None
    except CommandFailed as failed:
        raise _fail(str(failed)) from None
    except CannotUse as error:
        raise _fail(str(error), error.code) from None


def _result(answer: Mapping[str, Any]) -> dict[str, Any]:
    if "refused" in answer:
        raise _fail(str(answer["refused"]), 2)
    if "failed" in answer:
        raise _fail(str(answer["failed"]))
    return dict(answer["result"])
