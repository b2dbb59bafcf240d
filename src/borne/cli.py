"""The command line `borne`: serve a station, and what may be done on the machine itself."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="borne",
    help="The open software of an AC charging station.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    add_completion=True,
)
settings_app = typer.Typer(help="Read and change settings.", no_args_is_help=True)
user_app = typer.Typer(help="Accounts of people.", no_args_is_help=True)
token_app = typer.Typer(help="Tokens for the API.", no_args_is_help=True)
app.add_typer(settings_app, name="settings")
app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")

DEFAULT_DATA = Path(os.environ.get("BORNE_DATA", "data"))
Data = Annotated[Path, typer.Option("--data", help="Folder of the station's data.")]


def _fail(message: str, code: int = 1) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(code)


@app.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    """Without a command: a simulated station on http://127.0.0.1:8080."""
    if context.invoked_subcommand is None:
        _serve(DEFAULT_DATA, "127.0.0.1", 8080, None, 1.0, [])


@app.command()
def serve(
    data: Data = DEFAULT_DATA,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8080,
    hardware: Annotated[
        Path | None, typer.Option(help="Description of real hardware; without it, a simulation.")
    ] = None,
    speed: Annotated[
        float, typer.Option(min=1.0, max=1000.0, help="Run simulated time so much faster.")
    ] = 1.0,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Store a setting before the start."),
    ] = None,
) -> None:
    """Run a station until interrupted."""
    _serve(data, host, port, hardware, speed, set_ or [])


def _serve(
    data: Path, host: str, port: int, hardware: Path | None, speed: float, sets: list[str]
) -> None:
    from borne.serve import CannotStart, ServeOptions
    from borne.serve import serve as run

    if hardware is not None:
        raise _fail("Real hardware is not supported by this version; leave out --hardware.", 2)
    changes = [_pair(text) for text in sets]
    try:
        run(ServeOptions(data, host, port, speed, changes))
    except CannotStart as error:
        raise _fail(str(error), error.code) from None


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise _fail(f"--set wants KEY=VALUE, not {text!r}.", 2)
    return key.strip(), value


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
        typer.echo(f"{row['name']} = {_shown(row)}")


@settings_app.command("get")
def settings_get(key: str, data: Data = DEFAULT_DATA) -> None:
    """The value of one setting."""
    for row in _command(data, "settings-list", {})["settings"]:
        if row["name"] == key:
            typer.echo(_shown(row))
            return
    raise _fail(f"There is no setting {key}.", 2)


@settings_app.command("set")
def settings_set(pairs: list[str], data: Data = DEFAULT_DATA) -> None:
    """Change settings: KEY=VALUE ... (all or none)."""
    result = _command(data, "settings-set", {"changes": dict(_pair(pair) for pair in pairs)})
    for name in result["applied"]:
        later = " (after a restart)" if name in result["restart_required"] else ""
        typer.echo(f"{name}: stored{later}")


@user_app.command("set-password")
def set_password(role: str, data: Data = DEFAULT_DATA) -> None:
    """Set the password of a role; it is read from the terminal or from standard input."""
    if sys.stdin.isatty():
        password = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    _command(data, "set-password", {"role": role, "password": password})
    typer.echo(f"The password of {role} is set.")


@app.command("login-link")
def login_link(
    role: Annotated[str, typer.Option(help="user, operator, installer or manufacturer.")],
    data: Data = DEFAULT_DATA,
    url: Annotated[str, typer.Option(help="Where the station's page is.")] = (
        "http://127.0.0.1:8080"
    ),
) -> None:
    """A link that logs in once, from this machine, within 15 minutes."""
    secret = _command(data, "login-link", {"role": role})["secret"]
    typer.echo(f"{url.rstrip('/')}/login/{secret}")


@token_app.command("create")
def token_create(
    role: Annotated[str, typer.Option(help="user, operator, installer or manufacturer.")],
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """A token for the API; it is shown this once."""
    typer.echo(_command(data, "token-create", {"role": role, "name": name})["token"])


@app.command()
def vectors(file: Path) -> None:
    """Run load-management vectors; a line for each failing one, then the counts."""
    from borne.application.vectors import main

    raise typer.Exit(main(file))


def _shown(row: Mapping[str, Any]) -> str:
    value = row["value"]
    if value is None:
        return "(set)" if row["is_set"] else "(not set)"
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _command(data: Path, command: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Through the running station, else under the folder's lock; never beside it."""
    from borne.adapters.control.socket import NoStation, ask
    from borne.adapters.storage import StorageUnavailable
    from borne.adapters.storage.lock import FolderInUse, FolderLock
    from borne.app import run_offline
    from borne.application.console import CommandRefused
    from borne.application.settings_ports import SettingsTooNew

    try:
        with FolderLock(data):
            return asyncio.run(run_offline(data, command, arguments))
    except FolderInUse:
        pass
    except CommandRefused as error:
        raise _fail(str(error), 2) from None
    except (StorageUnavailable, SettingsTooNew, OSError) as error:
        raise _fail(str(error)) from None
    try:
        answer = ask(data, command, arguments)
    except NoStation as error:
        raise _fail(f"The station does not answer: {error}.") from None
    if "refused" in answer:
        raise _fail(str(answer["refused"]), 2)
    result: dict[str, Any] = answer["result"]
    return result
