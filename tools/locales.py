"""Translation catalogues: `python -m tools.locales` writes the template and updates the catalogues;
a test checks that they are up to date.

`src/borne/locales/borne.pot` is the template, `LANGUAGE/LC_MESSAGES/borne.po` the translators'
file, `borne.mo` the compiled form.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
LOCALES = ROOT / "src/borne/locales"
TEMPLATE = LOCALES / "borne.pot"
KEYWORDS = {"_": None, "N_": None, "words": None, "ngettext": (1, 2), "plural": (1, 2)}
"""Functions that mark texts; `words` is the translator's name in the pages."""
LANGUAGES = {"de": "German", "fr": "French", "nl": "Dutch"}
HEADER = "# Texts of borne for translators; made by tools/locales.py."
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
"""A constant, so that the files do not change with each extraction."""


def template() -> Catalog:
    """Extract all marked texts, with the files that contain them."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # of babel
    catalog = new_catalogue()
    found = extract_from_dir(ROOT, methods, options, KEYWORDS)
    places: dict[object, set[str]] = {}
    for file_name, _, message, _, context in found:
        name = Path(file_name).as_posix()
        places.setdefault((message, context), set()).add(name)
    for (message, context), names in places.items():  # type: ignore[misc]  # a tuple as key
        locations = [(name, 0) for name in sorted(names)]
        catalog.add(message, locations=locations, context=context)
    return catalog


def new_catalogue(language: str | None = None) -> Catalog:
    """An empty catalogue; without a language, the template."""
    return Catalog(
        locale=language,
        project="borne",
        version="1",
        msgid_bugs_address="see CONTRIBUTING.md",
        header_comment=HEADER,
        last_translator="the project",
        language_team=LANGUAGES.get(language or "", "none"),
        creation_date=LONG_AGO,
        revision_date=LONG_AGO,
        fuzzy=False,
    )


def merged(made: Catalog, old: Catalog, language: str) -> Catalog:
    """All texts of the template with their existing translations."""
    catalog = new_catalogue(language)
    for message in made:
        if message.id:
            known = old.get(message.id, message.context)
            string = known.string if known else None
            catalog.add(message.id, string, locations=message.locations, flags=message.flags)
    return catalog


def rendered(catalog: Catalog) -> str:
    """The text of a template or catalogue, sorted and without line numbers."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, sort_output=True, include_lineno=False, width=100)
    return buffer.getvalue().decode()


def compiled(catalog: Catalog) -> bytes:
    """The compiled catalogue (.mo)."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def catalogues() -> dict[Path, Catalog]:
    """The catalogues by path."""
    found = {}
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/borne.po")):
        with path.open("rb") as file:
            found[path] = read_po(file, locale=path.parents[1].name)
    return found


def untranslated(catalog: Catalog) -> list[str]:
    """English texts without translation."""
    found = []
    for message in catalog:
        strings = message.string if isinstance(message.string, tuple | list) else [message.string]
        if message.id and not all(strings):
            found.append(message.id if isinstance(message.id, str) else str(message.id[0]))
    return found


def main() -> None:
    """Write all files; prints the texts without translation."""
    made = template()
    TEMPLATE.parent.mkdir(parents=True, exist_ok=True)
    TEMPLATE.write_text(rendered(made))
    for path, old in catalogues().items():
        catalog = merged(made, old, path.parents[1].name)
        path.write_text(rendered(catalog))
        path.with_suffix(".mo").write_bytes(compiled(catalog))
        for text in untranslated(catalog):
            print(f"{path.parents[1].name}: {text}")


if __name__ == "__main__":
    main()
