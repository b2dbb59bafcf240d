"""What the package ships with the pages: foreign files, icons, the API's description, texts."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo

from borne.adapters.web.i18n import LOCALES, SEPARATORS, Words, available, negotiate
from borne.adapters.web.states import FAULTS, LOOKS, REASONS, SOURCES, STOP_REASONS
from borne.adapters.web.static_files import FOLDER, names, packaged
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.sources import SOURCES as LIMIT_SOURCES
from borne.domain.limits.sources import LimitKind
from borne.domain.station import faults, indication
from borne.domain.station.session import StopReason
from borne.domain.station.status import ConnectorStatus
from tests.unit.adapters.web.conftest import Client
from tools import locales, openapi

ROOT = Path(__file__).parents[4]
WEB = ROOT / "src/borne/adapters/web"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
MANIFEST = json.loads((FOLDER / "vendor/manifest.json").read_text())
PAGE_FILES = (
    *("vendor/htmx.min.js", "vendor/hx-sse.min.js", "app.js"),
    *("app.css", "led.css", "icons.svg"),
)
MAX_START_BYTES = 45_000


# Foreign files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", MANIFEST, ids=lambda record: record["target"])
def test_foreign_files_are_the_ones_of_the_manifest(record: dict[str, str]) -> None:
    content = (ROOT / record["target"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == record["sha256"]
    assert record["version"]
    assert record["licence"]


def test_every_foreign_file_is_in_the_manifest() -> None:
    listed = {record["target"] for record in MANIFEST}
    vendored = {
        path.relative_to(ROOT).as_posix()
        for path in (FOLDER / "vendor").iterdir()
        if path.name != "manifest.json"
    }
    assert vendored <= listed


def test_every_icon_that_is_used_is_in_the_sprite() -> None:
    sprite = (FOLDER / "icons.svg").read_text()
    symbols = set(re.findall(r'<symbol id="([\w-]+)"', sprite))
    used = {look.icon for look in LOOKS.values()}
    for path in TEMPLATES:
        used |= set(re.findall(r'icon\("([\w-]+)"(?: ~)?', path.read_text())) - {"arrow-"}
        used |= set(re.findall(r"icons\.svg\"\) }}#([\w-]+)", path.read_text()))
    for path in (WEB / "pages").glob("*.py"):
        used |= set(re.findall(r'Item\("[^"]+", N_\("[^"]+"\), "([\w-]+)"', path.read_text()))
    assert used <= symbols


async def test_packaged_files_are_cached_for_ever_under_their_version(anyone: Client) -> None:
    file = packaged("app.css")
    assert file is not None
    fresh = await anyone.get(f"/static/app.css?v={file.version}")
    assert "immutable" in fresh.headers["cache-control"]
    assert fresh.headers["content-encoding"] == "gzip"
    assert fresh.content == file.content
    old = await anyone.get("/static/app.css?v=old")
    assert old.headers["cache-control"] == "no-cache"
    same = await anyone.get("/static/app.css", headers={"if-none-match": old.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


@pytest.mark.parametrize("name", ["../factory.py", "vendor/LICENSE.htmx", "", "app.css/", "x"])
def test_only_packaged_names_are_served(name: str) -> None:
    assert name not in names()
    assert packaged(name) is None


def test_the_first_page_is_light() -> None:
    sizes = {}
    for name in PAGE_FILES:
        file = packaged(name)
        assert file is not None
        sizes[name] = len(file.compressed or file.content)
    assert sum(sizes.values()) < MAX_START_BYTES, sizes


def test_importing_the_package_is_cheap() -> None:
    code = "import sys, borne.adapters.web, borne.foundation.listener; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    heavy = {"fastapi", "starlette", "jinja2", "uvicorn", "babel", "pydantic"}
    assert not heavy & set(found.stdout.split())


# The API's description ----------------------------------------------------------------------------


def test_the_description_of_the_api_is_up_to_date() -> None:
    made = json.loads(openapi.rendered())
    shipped = json.loads(openapi.TARGET.read_text())
    assert shipped["paths"].keys() == made["paths"].keys()
    assert shipped == made, "run: python -m tools.openapi"


def test_the_description_names_every_operation_and_its_rights() -> None:
    document = json.loads(openapi.TARGET.read_text())
    operations = [
        (path, operation)
        for path, methods in document["paths"].items()
        for operation in methods.values()
    ]
    assert len(operations) > 30
    for path, operation in operations:
        assert operation["summary"], path
        if path not in {"/healthz", "/readyz"}:
            assert operation["x-role"], path
            assert {"401", "403", "503"} <= operation["responses"].keys(), path
    text = json.dumps(document)
    for reference in set(re.findall(r'#/components/schemas/([^"]+)"', text)):
        assert reference in document["components"]["schemas"]


# Words --------------------------------------------------------------------------------------------


def test_every_state_fault_source_and_reason_has_words() -> None:
    assert {status.value for status in ConnectorStatus} <= LOOKS.keys()
    assert {fault.value for fault in faults.Fault} == FAULTS.keys()
    shown = {source.name for source in LIMIT_SOURCES if source.kind is not LimitKind.DEMAND}
    assert shown <= SOURCES.keys()
    whys = list(LimitCause)[list(LimitCause).index(LimitCause.HARDWARE) :]
    assert set(whys) == REASONS.keys()
    assert {reason.value for reason in StopReason} == STOP_REASONS.keys()
    assert set(indication.PATTERNS) - {"charging"} <= LOOKS.keys()


def test_the_template_for_translators_has_every_text_of_the_pages() -> None:
    shipped = locales.TEMPLATE.read_text()
    for message in locales.template():
        if any("adapters/web" in name for name, _ in message.locations):
            first = message.id if isinstance(message.id, str) else message.id[0]
            if first:
                key = json.dumps(first, ensure_ascii=False)[1:-1]
                found = key in shipped or key[:40] in shipped
                assert found, f"run: python -m tools.locales ({first!r})"


def test_compiled_catalogues_are_those_of_the_translators() -> None:
    def forms(text: str | Sequence[str]) -> tuple[str, ...]:
        return (text,) if isinstance(text, str) else tuple(text)

    def texts(catalog: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
        """Without the heading, which names the tool's version."""
        return {forms(each.id): forms(each.string) for each in catalog if each.id and each.string}

    for path, catalog in locales.catalogues().items():
        with path.with_suffix(".mo").open("rb") as file:
            assert texts(read_mo(file)) == texts(catalog), path


def test_texts_in_templates_are_marked() -> None:
    """A template has no sentence of its own outside `_()`."""
    for path in TEMPLATES:
        html = re.sub(r"{% set \w+ %}.*?{% endset %}", "", path.read_text(), flags=re.DOTALL)
        html = re.sub(r"{#.*?#}|{{.*?}}|{%.*?%}", "\x00", html, flags=re.DOTALL)
        html = re.sub(r"<(script|style|title)\b.*?</\1>", "", html, flags=re.DOTALL)
        for text in re.findall(r">([^<>]+)<", html):
            words = re.findall(r"[A-Za-z]{3,}", text.replace("\x00", " "))
            assert not words, f"{path.name}: {text.strip()!r}"


def test_texts_in_python_are_marked_for_translation() -> None:
    """`words(...)` translates a literal only if extraction saw it, so it is in the template."""
    shipped = locales.TEMPLATE.read_text().replace('"\n"', "")
    for path in (WEB / "pages").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            argument = node.args[0]
            if name in {"words", "_"} and isinstance(argument, ast.Constant):
                text = json.dumps(argument.value, ensure_ascii=False)[1:-1]
                assert text in shipped, f"{path.name}: {argument.value!r}"


def test_english_needs_no_catalogue() -> None:
    assert "en" in available()
    assert (LOCALES / "borne.pot").is_file()


@pytest.mark.parametrize("language", SEPARATORS)
def test_number_separators_are_those_of_cldr(language: str) -> None:
    symbols = Locale.parse(language).number_symbols["latn"]
    found = symbols["decimal"], symbols["group"].replace("\u00a0", "\u202f")
    assert SEPARATORS[language] == found


@pytest.mark.parametrize(
    ("language", "watts", "watt_hours", "amps"),
    [
        ("en", "7.4\u202fkW", "1,234.57\u202fkWh", "15.9\u202fA"),
        ("de", "7,4\u202fkW", "1.234,57\u202fkWh", "15,9\u202fA"),
        ("fr", "7,4\u202fkW", "1\u202f234,57\u202fkWh", "15,9\u202fA"),
        ("nl", "7,4\u202fkW", "1.234,57\u202fkWh", "15,9\u202fA"),
    ],
)
def test_numbers_are_written_as_in_the_language(
    language: str, watts: str, watt_hours: str, amps: str
) -> None:
    words = Words(language)
    assert words.power(7412) == watts
    assert words.energy(1_234_567) == watt_hours
    assert words.amps(15.94) == amps


@pytest.mark.parametrize(
    ("language", "date"),
    [
        ("en", "2026-11-02 09:05"),
        ("de", "02.11.2026 09:05"),
        ("fr", "02/11/2026 09:05"),
        ("nl", "02-11-2026 09:05"),
    ],
)
def test_dates_are_written_as_in_the_language(language: str, date: str) -> None:
    when = datetime(2026, 11, 2, 9, 5, tzinfo=UTC)
    assert Words(language).moment(when) == date


@pytest.mark.parametrize(
    ("watts", "text"),
    [
        (0, "0\u202fW"),
        (850, "850\u202fW"),
        (999.4, "999\u202fW"),
        (999.6, "1.0\u202fkW"),
        (None, "–"),
    ],
)
def test_small_power_is_in_watts(watts: float | None, text: str) -> None:
    assert Words("en").power(watts) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 min"), (59, "0 min"), (60, "1 min"), (6060, "1 h 41"), (90000, "1 d 1 h"), (None, "–")],
)
def test_durations_are_written_in_words(seconds: float | None, text: str) -> None:
    written = Words("en").duration(seconds)
    assert written.replace("\u202f", " ").replace("\u00a0", " ") == text
    assert " " not in written


@pytest.mark.parametrize("language", SEPARATORS)
def test_no_line_ends_between_a_number_and_its_unit(language: str) -> None:
    words = Words(language)
    for written in (
        words.energy(2_615_060),
        words.power(7400),
        words.power(850),
        words.amps(15.94),
        words.amps_short(13),
        words.currents([13, 12.5, 0]),
        words.duration(100_000),
        words("Hold the card to the reader for 2 s, within one minute.").partition(",")[0][-3:],
        words("{n} s").format(n=12),
    ):
        assert " " not in written


class Asking:
    def __init__(self, cookie: str = "", accept: str = "") -> None:
        self.cookies = {"borne_language": cookie}
        self.headers = {"accept-language": accept}


@pytest.mark.parametrize(
    ("cookie", "station", "accept", "expected"),
    [
        ("", "en", "", "en"),
        ("de", "en", "fr", "de"),
        ("xx", "en", "fr-CH, de;q=0.5", "fr"),
        ("", "nl", "fr", "nl"),
        ("", "en", "zh, de;q=0.7", "de"),
        ("", "en", "zh", "en"),
        ("", "xx", ";;;,,,", "en"),
    ],
)
def test_the_language_is_negotiated(
    cookie: str, station: str, accept: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("borne.adapters.web.i18n.available", lambda: ("en", "fr", "de", "nl"))
    found = negotiate(Asking(cookie, accept), station)  # type: ignore[arg-type]  # what it reads
    assert found == expected
