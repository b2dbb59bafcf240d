"""Logging: one JSON object per line for machines, short lines for a terminal.

Secrets must not be passed to log calls; as a second defence, whatever looks like one is masked.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections import deque
from datetime import UTC, datetime

_SECRET = re.compile(
    r"""(?ix)
    (password|passwd|passphrase|authorization(?:key)?|secret|token|sitekey|private_?key
        |(?<![a-z])(?:sim)?pin|(?<![a-z])puk)
    (["']?\s*[,;]?\s*["']?value["']?\s*[:=]\s*      # {"key": NAME, "value": VALUE}
        |["']?\s*[:=]\s*
        |\W{1,3})
    (?:(?:basic|bearer)\s+)?
    (?:"(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | \S+)
    """
)
_IN_URL = re.compile(
    r"""(?ix)
    (?<=://)[^/@\s"']*(?=@)
    | (?<=/login/)[\w-]+
    | (?<=[?&;])([\w.-]*(?:token|sig|key|secret|passw|auth|credential)[\w.-]*=)[^&\s"'#]+
    """
)
STARS = "***"
LEVELS = {
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}


def redact(text: str) -> str:
    """Mask values that follow the name of a secret, and credentials inside URLs."""
    in_urls = _IN_URL.sub(lambda found: (found[1] or "") + STARS, text)
    return _SECRET.sub(rf"\1\2{STARS}", in_urls)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, exception."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        entry: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name.removeprefix("borne."),
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            entry["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


class TerminalFormatter(logging.Formatter):
    """Short lines; exceptions on one line, with a traceback only if `traces` is set."""

    def __init__(self, *, traces: bool) -> None:
        super().__init__()
        self._traces = traces

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        name = record.name.removeprefix("borne.")
        line = f"{at} {record.levelname.lower():7} {name}: {redact(record.getMessage())}"
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line += f" ({type(error).__name__}: {redact(str(error))})"
            if self._traces:
                line += "\n" + redact(self.formatException(record.exc_info))
        return line


class RecentLines(logging.Handler):
    """Keeps the most recent lines for diagnostics."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.lines: deque[tuple[datetime, str]] = deque(maxlen=capacity)
        """Times and lines, oldest first."""
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((datetime.fromtimestamp(record.created, UTC), self.format(record)))


RECENT = RecentLines(2000)


def set_up(level: str, *, json_lines: bool | None = None) -> None:
    """Log to standard error, as JSON unless that is a terminal or `json_lines` says otherwise."""
    handler = logging.StreamHandler(sys.stderr)
    as_json = not sys.stderr.isatty() if json_lines is None else json_lines
    handler.setFormatter(JsonFormatter() if as_json else TerminalFormatter(traces=level == "debug"))
    root = logging.getLogger()
    root.handlers[:] = [handler, RECENT]
    root.setLevel(logging.WARNING)
    set_level(level)


def set_level(level: str) -> None:
    """Set the level of the station's loggers."""
    logging.getLogger("borne").setLevel(LEVELS.get(level, logging.INFO))
