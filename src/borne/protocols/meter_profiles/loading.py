"""The profiles of `data/`, read when one is asked for, and those of others."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from borne.domain.settings.catalogue.meter_profiles import METERS, USER_DEFINED
from borne.protocols.meter_profiles.parsing import parse
from borne.protocols.meter_profiles.profile import Profile


def slugs() -> tuple[str, ...]:
    """The types of meters with a file, in the order of the settings."""
    return tuple(meter.slug for meter in METERS if meter.slug != USER_DEFINED)


@cache
def load_profile(slug: str) -> Profile:
    """The profile of a type of meter. Raises KeyError if there is none of that name."""
    if slug not in slugs():
        raise KeyError(slug)
    text = (
        files("borne.protocols.meter_profiles").joinpath("data", f"{slug}.toml").read_text("utf-8")
    )
    return parse(text, slug, load_profile)


def parse_profile(text: str) -> Profile:
    """The profile of a meter that an operator describes; it may build on one of `data/`.

    Raises ProfileError, with the line of the first mistake.
    """
    return parse(text, USER_DEFINED, load_profile)


def profile_files() -> list[str]:
    """The slugs of the files there are, sorted."""
    folder = files("borne.protocols.meter_profiles").joinpath("data")
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir())
