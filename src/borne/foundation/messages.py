"""Translatable sentences.

A message is a template (the gettext key) with values. English needs no catalogue.
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
        """The sentence translated by a gettext function."""
        if not self.values:
            return translate(self.template)
        values = {
            name: value.render(translate) if isinstance(value, Message) else value
            for name, value in self.values.items()
        }
        return translate(self.template).format(**values)

    def __str__(self) -> str:
        return self.render(lambda text: text)


def verbatim(text: str) -> Message:
    """A text from outside, shown unchanged."""
    return Message("{text}", {"text": text})


class Explained(Exception):
    """An error with a translatable message, or with a template marked by `N_`."""

    def __init__(self, message: Message | str) -> None:
        self.message = Message(message) if isinstance(message, str) else message
        super().__init__(str(self.message))
