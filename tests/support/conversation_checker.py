"""Checks what a station sends to a central system over its whole life: whether it could be true.

Statuses follow the table of OCPP 1.6 section 4.9, the end of a transaction comes before the status
that follows it, times and registers never go back within a transaction, a message id stands for one
content, and a transaction id is used only after it was assigned. It shares no code with the
station.

Every checker that a test makes is asked when the test is over (`tests/conftest.py`). A test that
makes a station say what cannot be true says so: `checker.exempt(rule, reason)`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

IN_USE = {"Charging", "SuspendedEV", "SuspendedEVSE"}
REST = {"Available", "Unavailable", "Faulted"}
OVER = {"Available", "Finishing", "Reserved", "Unavailable"}
TABLE = {
    "Available": {"Preparing", "Reserved", "Unavailable", "Faulted", *IN_USE},
    "Preparing": {"Available", "Finishing", "Faulted", *IN_USE},
    "Charging": {"Finishing", *REST, *IN_USE},
    "SuspendedEV": {"Finishing", *REST, *IN_USE},
    "SuspendedEVSE": {"Finishing", *REST, *IN_USE},
    "Finishing": {"Preparing", *REST},
    "Reserved": {"Preparing", *REST},
    "Unavailable": {"Preparing", *REST, *IN_USE},
    "Faulted": {"Preparing", "Finishing", "Reserved", *REST, *IN_USE},
}
"""Section 4.9, written down anew."""
TRANSACTIONAL = {"StartTransaction", "StopTransaction", "MeterValues"}
LOST = -1
"""The transaction id of errata 3.18."""
REGISTER = "Energy.Active.Import.Register"
RULES = {"status", "order", "time", "energy", "id", "transaction"}

checkers: list[ConversationChecker] = []
"""Of the test that runs."""


@dataclass
class Transaction:
    """One that the central system knows."""

    number: int
    connector: int
    latest: datetime
    register_wh: Decimal
    stop: str = ""


@dataclass
class ConversationChecker:
    """Messages of one station at one central system, over all its connections."""

    station: str = ""
    findings: list[str] = field(default_factory=list)
    exempted: dict[str, str] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)
    _statuses: dict[int, str] = field(default_factory=dict)
    _free: set[int] = field(default_factory=set)
    """Connectors of which nothing was sent since an absence."""
    _unordered: set[int] = field(default_factory=set)
    """Connectors that may be reported as over before the queue could say so: since an absence,
    since somebody asked for their status, or while a CALL without an answer held the line up."""
    _transactions: dict[int, Transaction] = field(default_factory=dict)
    _waiting: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    _disturbed: bool = False
    """A transaction message had no good answer: the queue stands still, or loses some."""

    def __post_init__(self) -> None:
        checkers.append(self)

    def exempt(self, rule: str, reason: str) -> None:
        """The test breaks this rule on purpose."""
        assert rule in RULES
        assert reason
        self.exempted[rule] = reason

    def check(self) -> None:
        """Raise AssertionError when something cannot be true."""
        wrong = [f for f in self.findings if f.partition(":")[0] not in self.exempted]
        assert not wrong, "\n".join(wrong)

    def knows(self, number: int, connector: int, register_wh: int) -> None:
        """A transaction began before this test did."""
        begun = datetime.min.replace(tzinfo=UTC)
        self._transactions[number] = Transaction(number, connector, begun, Decimal(register_wh))

    def disturb(self) -> None:
        """A transaction message has no good answer."""
        self._disturbed = True

    def connected(self) -> None:
        """A new connection: what happened before it is reported as it is now."""
        self._free, self._unordered = {*range(10)}, {*range(10)}
        if any(action in TRANSACTIONAL for action, _ in self._waiting.values()):
            self._disturbed = True
        self._waiting.clear()

    def asked(self, message_id: str, action: str, payload: Mapping[str, Any]) -> None:
        """The station sends a CALL."""
        content = json.dumps([action, payload], sort_keys=True, default=str)
        again = message_id in self._ids
        if self._ids.setdefault(message_id, content) != content:
            self._find("id", f"{message_id} is another message already", payload)
        if any(action in TRANSACTIONAL for action, _ in self._waiting.values()):
            self._disturbed = True
        if self._waiting:
            self._unordered |= {*range(10)}
        self._waiting[message_id] = (action, dict(payload))
        with suppress(KeyError, ValueError, TypeError, ArithmeticError):  # a schema's matter
            self._check(action, payload, content, again=again)

    def answered(self, message_id: str, payload: Mapping[str, Any] | None) -> None:
        """The central system answers; None: with a CALLERROR."""
        action, asked = self._waiting.pop(message_id, ("", {}))
        if payload is None:
            self._disturbed = self._disturbed or action in TRANSACTIONAL
        elif action == "BootNotification":
            self._free, self._unordered = {*range(10)}, {*range(10)}
        elif action == "StartTransaction":
            with suppress(KeyError, ValueError, TypeError):
                number = int(payload["transactionId"])
                begun = _time(asked["timestamp"])
                start_wh = Decimal(asked["meterStart"])
                self._transactions.setdefault(
                    number, Transaction(number, asked["connectorId"], begun, start_wh)
                )

    def commanded(self, action: str, payload: Mapping[str, Any]) -> None:
        """The central system sends a CALL: a status that it asks for waits for nothing."""
        if "Trigger" in action and payload.get("requestedMessage") == "StatusNotification":
            connector = payload.get("connectorId")
            self._unordered |= {*range(10)} if connector is None else {connector}

    # What is sent ----------------------------------------------------------------------------

    def _check(self, action: str, payload: Mapping[str, Any], content: str, *, again: bool) -> None:
        match action:
            case "StatusNotification":
                self._check_status(payload["connectorId"], payload["status"])
            case "StartTransaction" if not (again or self._disturbed):
                if self._open(payload["connectorId"]) is not None:
                    self._find("transaction", "begins before the one before it ended", payload)
            case "MeterValues":
                self._check_values(payload)
            case "StopTransaction":
                self._check_stop(payload, content)

    def _check_status(self, connector: int, status: str) -> None:
        before, self._statuses[connector] = self._statuses.get(connector), status
        if connector == 0:
            if status not in REST:
                self._find("status", "of connector 0", {"status": status})
            return
        free = connector in self._free
        self._free.discard(connector)
        if status != before and before is not None and not free and status not in TABLE[before]:
            self._find("status", f"{before}, {status}", {"connectorId": connector})
        if self._open(connector) is None or status not in OVER:
            self._unordered.discard(connector)
        elif connector not in self._unordered and not self._disturbed:
            self._find("order", f"{status} before StopTransaction", {"connectorId": connector})

    def _check_values(self, payload: Mapping[str, Any]) -> None:
        number = payload.get("transactionId")
        if number is None or number == LOST:
            return
        transaction = self._transactions.get(number)
        if transaction is None or transaction.connector != payload["connectorId"]:
            self._find("transaction", f"{number} was never assigned for this connector", payload)
            return
        self._follow(transaction, payload["meterValue"], payload)

    def _check_stop(self, payload: Mapping[str, Any], content: str) -> None:
        number = payload["transactionId"]
        transaction = self._transactions.get(number)
        if number == LOST:
            return
        if transaction is None:
            self._find("transaction", f"{number} was never assigned", payload)
            return
        if transaction.stop not in ("", content):
            self._find("transaction", f"{number} ends twice", payload)
        transaction.stop = content
        self._unordered.discard(transaction.connector)
        at, stop_wh = _time(payload["timestamp"]), Decimal(payload["meterStop"])
        data = payload.get("transactionData", ())
        if at < transaction.latest or any(_time(v["timestamp"]) > at for v in data):
            self._find("time", "the end comes before its last message", payload)
        if stop_wh < transaction.register_wh or any(w > stop_wh for w in _registers(data)):
            self._find("energy", "the end is below the last reading", payload)
        if [_time(v["timestamp"]) for v in data] != sorted(_time(v["timestamp"]) for v in data):
            self._find("time", "transaction data run backwards", payload)
        registers = list(_registers(data))
        if registers != sorted(registers):
            self._find("energy", "transaction data run backwards", payload)

    def _follow(
        self, transaction: Transaction, values: list[dict[str, Any]], payload: Mapping[str, Any]
    ) -> None:
        """Triggered values may come out of order."""
        for value in values:
            at, registers = _time(value["timestamp"]), list(_registers([value]))
            asked_for = any(s.get("context") == "Trigger" for s in value["sampledValue"])
            if asked_for:
                continue
            if at < transaction.latest:
                self._find("time", f"before {transaction.latest.isoformat()}", payload)
            if any(wh < transaction.register_wh for wh in registers):
                self._find("energy", f"below {transaction.register_wh} Wh", payload)
            transaction.latest = max(at, transaction.latest)
            transaction.register_wh = max([*registers, transaction.register_wh])

    def _open(self, connector: int) -> Transaction | None:
        return next(
            (t for t in self._transactions.values() if t.connector == connector and not t.stop),
            None,
        )

    def _find(self, rule: str, what: str, payload: Mapping[str, Any]) -> None:
        self.findings.append(f"{rule}: {self.station}: {what}: {str(dict(payload))[:1000]}")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _registers(values: Any) -> Iterator[Decimal]:
    for value in values:
        for sample in value["sampledValue"]:
            if sample.get("measurand", REGISTER) == REGISTER and "phase" not in sample:
                factor = 1000 if sample.get("unit") == "kWh" else 1
                yield Decimal(sample["value"]) * factor
