"""The command `borne site`: a whole site in one process, on virtual time or as real stations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from borne.adapters.site.recorder import Recorder
from borne.adapters.site.site_file import read_site
from borne.adapters.site.site_model import SiteModel
from borne.adapters.site.site_report import json_text, write_files
from borne.adapters.site.site_run import run_site
from borne.adapters.site.toml_table import LONGEST_S, SiteFileError, seconds_of

DONE, BOUND_EXCEEDED, WRONG = 0, 1, 2


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """Options of `borne site`."""

    file: Path
    until: str = ""
    out: Path | None = None
    speed: float = 1.0
    port: int = 8080
    data: Path | None = None


def run(options: SiteOptions) -> int:
    """Run the command; returns its exit code."""
    try:
        site = read_site(options.file)
    except SiteFileError as error:
        return _wrong(str(error))
    if not options.until:
        return _run_stations(site, options)
    if options.data is not None:
        return _wrong("--data is for a site without --until, whose stations store something.")
    until_s = _seconds(options.until)
    if until_s is None or not 0 < until_s <= LONGEST_S:
        return _wrong(f"--until {options.until}: give a time such as 24h, 90m, 18:30 or 3600.")
    return _run_virtual(site, until_s, options.out)


def _run_stations(site: SiteModel, options: SiteOptions) -> int:
    from borne.data_folder import CannotUse
    from borne.site_live import LiveOptions, run_live

    if options.out is not None:
        return _wrong("--out needs --until: figures are those of a run on virtual time.")
    try:
        run_live(site, LiveOptions(options.data, options.port, options.speed))
    except CannotUse as error:
        typer.echo(str(error), err=True)
        return error.code
    return DONE


def _seconds(text: str) -> float | None:
    """Seconds of the option: a bare number is seconds, as in the file."""
    return float(text) if text.isdecimal() else seconds_of(text)


def _run_virtual(site: SiteModel, until_s: float, out: Path | None) -> int:
    recorder = None if out is None else Recorder.for_run(until_s)
    result = run_site(site, until_s, recorder)
    if out is not None and recorder is not None:
        try:
            write_files(out, result, recorder)
        except OSError as error:
            return _wrong(f"{out} cannot be written: {error.strerror}")
    typer.echo(json_text(result))
    return BOUND_EXCEEDED if result.bound_exceeded else DONE


def _wrong(message: str) -> int:
    typer.echo(message, err=True)
    return WRONG
