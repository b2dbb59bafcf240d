"""Load management as JSON and CSV (`GET /api/v1/load`). Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from borne.adapters.web.api import load_answers as answers
from borne.adapters.web.csv_export import safe
from borne.adapters.web.i18n import Words
from borne.domain.load_management.load_status import (
    DisconnectedSum,
    GroupRow,
    LoadDecision,
    LoadSample,
    LoadStatus,
    ParticipantRow,
    SiteLimitRow,
    SlaveStatus,
)
from borne.domain.load_management.participant import Reason
from borne.domain.load_management.reason_text import reason_text
from borne.domain.load_management.topology import GRID_PHASES, ROOT
from borne.domain.meters.site_status import SiteMeterState, SiteMeterStatus
from borne.foundation.clock import format_utc
from borne.foundation.messages import N_, Message
from borne.foundation.units import PerPhase
from borne.protocols.status_json import Amps

DIGITS = 2
CSV_COLUMNS = (
    *("at", "cycle", "participant", "before_a", "after_a", "n1_a", "n2_a", "n3_a"),
    *("code", "group", "phase", "text"),
)


def load_json(
    status: LoadStatus, samples: Sequence[LoadSample], meter: SiteMeterStatus | None, words: Words
) -> answers.Load:
    """The whole status."""
    naming = group_naming(status, words)
    return {
        "role": status.role.value,
        "network_id": status.network_id,
        "revision": status.revision,
        "limits": [_limit(row, words) for row in status.limits],
        "limit_a": _maybe(status.limit_a),
        "external_a": _maybe(status.external_a),
        "meter": _meter(meter),
        "groups": [_group(row) for row in status.groups],
        "participants": [_participant(row, naming, words) for row in status.participants],
        "missing": list(status.missing),
        "problems": [problem.render(words) for problem in status.problems],
        "disconnected_sum": _line(worst(status.disconnected)),
        "disconnected": [_sum(each) for each in status.disconnected],
        "samples": [_sample(each) for each in samples],
        "slave": _slave(status.slave) if status.slave else None,
        "last_cycle": _date(status.last_cycle),
    }


def group_naming(status: LoadStatus, words: Words) -> Callable[[str], str | Message]:
    """How sentences name the groups: the supply line of a station by the name of the station."""
    names = {row.station: row.station_name or row.station for row in status.participants}

    def name(group: str) -> str | Message:
        if group == ROOT:
            return words(N_("the EVSE sub-distribution"))
        if group in names:
            return words(N_("the supply line of {station}")).format(station=names[group])
        return group

    return name


def worst(sums: Iterable[DisconnectedSum]) -> DisconnectedSum | None:
    """The line with the least room, or that is exceeded by the largest amount."""
    return max(sums, key=lambda each: each.amps - each.limit_a, default=None)


def _limit(row: SiteLimitRow, words: Words) -> answers.LoadLimit:
    return {
        "source": row.source.value,
        "kind": row.kind.value,
        "amps": _amps(row.amps),
        "frame": "grid",
        "reason": row.reason.render(words),
        "since": _date(row.since),
        "until": _date(row.until),
        "effective": row.binds,
        "effective_phases": [
            phase.name for phase, on in zip(GRID_PHASES, row.effective, strict=True) if on
        ],
        "age_s": _round(row.age_s),
        "fallback_a": _maybe(row.fallback_a),
    }


def _meter(meter: SiteMeterStatus | None) -> answers.LoadMeter | None:
    if meter is None or meter.state is SiteMeterState.ABSENT:
        return None
    return {"model": meter.model, "age_s": _round(meter.age_s), "state": meter.state.value}


def _group(row: GroupRow) -> answers.LoadGroup:
    return {
        "id": row.id,
        "parent": row.parent,
        "limit_a": _amps(row.limit_a),
        "used_a": _amps(row.used_a),
        "measured_a": _amps(row.measured_a),
    }


def _participant(
    row: ParticipantRow, naming: Callable[[str], str | Message], words: Words
) -> answers.Participant:
    return {
        "id": row.id,
        "station": row.station,
        "station_name": row.station_name,
        "connector": row.connector,
        "group": row.group,
        "address": row.address,
        "state": "lost" if row.lost else row.use.value,
        "since": _date(row.since),
        "phases": None if row.phases is None else [each.name for each in sorted(row.phases)],
        "rotation": row.rotation.value,
        "requested_a": _round(row.requested_a),
        "granted_a": round(row.granted_a, DIGITS),
        "measured_a": _maybe(row.measured_a),
        "grid_a": _amps(row.grid_a),
        "measured_grid_a": _amps(row.measured_grid_a),
        "minimum_a": row.minimum_a,
        "disconnected_a": row.disconnected_a,
        "priority": row.priority,
        "reason": _reason(row.reason, row.until, naming, words),
        "last_heard": _date(row.last_received),
        "received_s": _round(row.received_s),
        "trust": row.trust.value,
    }


def _reason(
    reason: Reason,
    until: datetime | None,
    naming: Callable[[str], str | Message],
    words: Words,
) -> answers.LoadReason:
    return {
        "code": reason.cause.value,
        "text": reason_text(reason, naming, words.number_short).render(words),
        "group": reason.link.group if reason.link else None,
        "phase": reason.link.phase.name if reason.link else None,
        "limited_by": reason.source.value if reason.source else None,
        "until": _date(until),
    }


def _line(found: DisconnectedSum | None) -> answers.DisconnectedLine | None:
    return None if found is None else _sum(found)


def _sum(each: DisconnectedSum) -> answers.DisconnectedLine:
    return {
        "group": each.group,
        "phase": each.phase.name,
        "amps": round(each.amps, DIGITS),
        "limit_a": round(each.limit_a, DIGITS),
        "fits": each.fits,
        "main": each.main,
    }


def _sample(each: LoadSample) -> answers.LoadPoint:
    return {
        "at": format_utc(each.at),
        "limit_a": _amps(each.limit_a),
        "granted_a": _amps(each.granted_a),
        "measured_a": _amps(each.measured_a),
        "external_a": _maybe(each.external_a),
    }


def _slave(slave: SlaveStatus) -> answers.SlavePart:
    stages: tuple[answers.Stage, ...] = ("connected", "limited", "static")
    return {
        "stage": stages[slave.stage.value],
        "master": slave.master,
        "received_s": _round(slave.received_s),
        "limited_in_s": _round(slave.limited_in_s),
        "static_in_s": _round(slave.static_in_s),
        "disconnected_a": slave.disconnected_a,
        "granted_a": {str(number): round(amps, DIGITS) for number, amps in slave.granted_a},
    }


def history_json(
    decisions: Iterable[LoadDecision], status: LoadStatus, words: Words
) -> answers.LoadHistory:
    """Decisions with their reasons."""
    naming = group_naming(status, words)
    return {
        "decisions": [
            {
                "at": format_utc(each.at),
                "cycle": each.cycle,
                "participant": each.participant,
                "before_a": round(each.before_a, DIGITS),
                "after_a": round(each.after_a, DIGITS),
                "grid_a": _amps(each.grid_a),
                "reason": _reason(each.reason, None, naming, words),
            }
            for each in decisions
        ]
    }


def history_csv(
    decisions: Iterable[LoadDecision], status: LoadStatus, words: Words, separator: str
) -> str:
    """The same as a table with a header line."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for each in history_json(decisions, status, words)["decisions"]:
        reason = each["reason"]
        writer.writerow(
            [
                *(each["at"], each["cycle"], safe(each["participant"])),
                *(each["before_a"], each["after_a"], *each["grid_a"]),
                *(reason["code"], safe(reason["group"]), reason["phase"], safe(reason["text"])),
            ]
        )
    return buffer.getvalue()


def _amps(amps: PerPhase) -> Amps:
    return list(amps.rounded(DIGITS))


def _maybe(amps: PerPhase | None) -> Amps | None:
    return None if amps is None else _amps(amps)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _date(date: datetime | None) -> str | None:
    return None if date is None else format_utc(date)
