"""Masks credentials in URLs: user information and query."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "***"
_SCHEME = r"\b[a-z][a-z0-9+.-]*:"
_QUERY = re.compile(rf"(?i)({_SCHEME}//[^\s\"<>?#]*)([?#])[^\s\"<>]+")
_USER = re.compile(rf"(?i)({_SCHEME}//)[^\s\"<>/?#]*@")
_ODD_USER = re.compile(rf"(?i)({_SCHEME}//)[^\s\"<>/?#:@]*:(?!\d{{1,5}}(?:[/?#]|$))[^\s\"<>]*@")
"""A password with an unescaped slash or question mark."""
_BARE_USER = re.compile(r"(?<![\w/@:%.+-])[\w.%+-]{1,64}:/?(?!/)[^\s\"<>@]{1,256}@(?=[\w\[])")
"""user:password@host without a scheme, or with a partial one."""


def without_credentials(text: str) -> str:
    """The text with the credentials of every URL in it masked."""
    if "@" in text:
        text = _ODD_USER.sub(rf"\1{MASK}@", text)
        text = _USER.sub(rf"\1{MASK}@", text)
        text = _BARE_USER.sub(f"{MASK}@", text)
    if "?" in text or "#" in text:
        text = _QUERY.sub(rf"\1\2{MASK}", text)
    return text
