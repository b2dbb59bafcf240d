"""Sentences of the settings for people, ready for translation.

A message is a template (the gettext key) and its values; English is rendered without a catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def N_(text: str) -> str:  # noqa: N802 -- gettext's name for "translate later"
    """Mark `text` for translation without translating it."""
    return text


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence with named values, for example `Message(N_("At most {high}."), {"high": 32})`."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)

    def render(self, translate: Callable[[str], str]) -> str:
        """The sentence in the language of `translate` (a gettext function)."""
        values = {
            name: value.render(translate) if isinstance(value, Message) else value
            for name, value in self.values.items()
        }
        return translate(self.template).format(**values)

    def __str__(self) -> str:
        return self.render(lambda text: text)
