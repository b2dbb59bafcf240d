"""The search for meters from a page: one at a time, bounded in time and number.

It goes on only while its panel renews it. A search shows which addresses of a network
answer on one port: it is the installer's (docs/threat-model.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from dataclasses import dataclass, field

from borne.adapters.web.meter_tests import LEASE_S, loop_time_s
from borne.application.meters.meter_search import (
    FindMeters,
    FoundMeter,
    SearchProgress,
    SearchRequest,
)
from borne.application.refusals import Refused
from borne.foundation.messages import N_, Explained, Message, verbatim

SEARCH_S = 600.0
PAUSE_S = 10.0
"""From the end of a search to the next one."""
MAX_FOUND = 64
_log = logging.getLogger(__name__)
_FAILED = N_("The search could not be carried out.")


@dataclass(slots=True)
class MeterSearch:
    """A search; `found` grows, `progress` is replaced."""

    lease: str
    owner: str
    ends_s: float
    progress: SearchProgress | None = None
    found: list[FoundMeter] = field(default_factory=list)
    problem: Message | None = None
    is_over: bool = False
    complete: bool = False


class MeterSearches:
    """The searches of a station: the running or the last one is kept."""

    def __init__(self) -> None:
        self._search: MeterSearch | None = None
        self._task: asyncio.Task[None] | None = None
        self._lease: asyncio.TimerHandle | None = None
        self._next_s = 0.0

    def start(self, owner: str, request: SearchRequest, find: FindMeters) -> MeterSearch:
        """Start a search. Raises Refused while one runs, and shortly after one."""
        if self._search is not None and not self._search.is_over:
            raise Refused("busy", N_("A search for meters is running already."))
        wait_s = self._next_s - loop_time_s()
        if wait_s > 0:
            sentence = N_("Wait {seconds} s before the next search.")
            raise Refused(
                "too_many_searches", Message(sentence, {"seconds": max(1, round(wait_s))})
            )
        search = MeterSearch(secrets.token_urlsafe(12), owner, loop_time_s() + SEARCH_S)
        self._search = search
        task = asyncio.get_running_loop().create_task(self._run(search, request, find))
        self._task = task
        self._renew(search)
        return search

    def renew(self, owner: str, lease: str) -> MeterSearch | None:
        """The state of a search, and keep it alive; None if there is none with that lease."""
        search = self._search
        if search is None or search.owner != owner or search.lease != lease:
            return None
        if not search.is_over:
            self._renew(search)
        return search

    def shown(self, owner: str) -> MeterSearch | None:
        """The newest search of an owner, running or over."""
        search = self._search
        return search if search is not None and search.owner == owner else None

    def end(self, owner: str) -> None:
        """Cancel the search of an owner; what was found stays."""
        if self.shown(owner) is not None:
            self.close()

    def drop(self, owner: str) -> None:
        """Cancel and forget the search of a login that ended."""
        if self.shown(owner) is not None:
            self.close()
            self._search = None

    def close(self) -> None:
        """Cancel the running search."""
        if self._lease is not None:
            self._lease.cancel()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        if self._search is not None and not self._search.is_over:
            self._search.is_over = True
            self._next_s = loop_time_s() + PAUSE_S

    def _renew(self, search: MeterSearch) -> None:
        if self._lease is not None:
            self._lease.cancel()
        left_s = min(LEASE_S, max(0.0, search.ends_s - loop_time_s()))
        self._lease = asyncio.get_running_loop().call_later(left_s, self.close)

    async def _run(self, search: MeterSearch, request: SearchRequest, find: FindMeters) -> None:
        try:
            async with contextlib.aclosing(find(request)) as news:
                async for each in news:
                    if isinstance(each, SearchProgress):
                        search.progress = each
                    elif len(search.found) < MAX_FOUND:
                        search.found.append(each)
            search.complete = True
        except Explained as error:
            search.problem = error.message
        except ValueError as error:
            search.problem = verbatim(str(error))
        except Exception:
            _log.exception("the search for meters failed")
            search.problem = Message(_FAILED)
        self._task = None
        self.close()
