"""What may not stand in a log."""

from __future__ import annotations

import json
import logging

import pytest

from borne.foundation.logging import JsonFormatter, TerminalFormatter, redact

S = "geheim-wort"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"AuthorizationKey={S}", "AuthorizationKey=***"),
        (f"password: {S}", "password: ***"),
        (f"{{'password': '{S} und mehr', 'a': 1}}", "{'password': ***, 'a': 1}"),
        (f'{{"WLANPassword": "{S} und \\"mehr"}}', '{"WLANPassword": ***}'),
        (
            f'[{{"key": "AuthorizationKey", "value": "{S}"}}]',
            '[{"key": "AuthorizationKey", "value": ***}]',
        ),
        (f"key='AuthorizationKey', value='{S}'", "key='AuthorizationKey', value=***"),
        (f"Authorization: Basic {S}", "Authorization: ***"),
        (f"authorization=Bearer {S} sent", "authorization=*** sent"),
        (f"DLMSiteKey = {S}", "DLMSiteKey = ***"),
        (f"SIMPin={S}", "SIMPin=***"),
        (f"ftp://me:{S}@host/file", "ftp://***@host/file"),
        (
            f"https://host/a?b=1&X-Amz-Signature={S}&c=2",
            "https://host/a?b=1&X-Amz-Signature=***&c=2",
        ),
        (f"https://host/a?sig={S}", "https://host/a?sig=***"),
        (f"error while answering /login/{S}", "error while answering /login/***"),
        ("settings changed by web: WebSocketPingInterval, StationName", None),
        ("spinning: up", None),
        ("/login?next=/settings", None),
    ],
)
def test_secrets_are_removed(text: str, shown: str | None) -> None:
    assert redact(text) == (text if shown is None else shown)


@pytest.mark.parametrize("formatter", [JsonFormatter(), TerminalFormatter(traces=True)])
def test_secrets_are_removed_from_messages_and_traces(formatter: logging.Formatter) -> None:
    try:
        raise ValueError(f"password='{S} x'")
    except ValueError as error:
        record = logging.LogRecord(
            "borne.x", logging.ERROR, "", 1, "token %s", (S,), (type(error), error, None)
        )
    line = formatter.format(record)
    assert S not in line
    if isinstance(formatter, JsonFormatter):
        assert json.loads(line)["message"] == "token ***"
