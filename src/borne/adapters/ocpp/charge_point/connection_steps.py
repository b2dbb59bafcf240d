"""The steps of a connection from the network interface to Heartbeat, as data for users.

Source: manual sections 4 and 10 (rows "no backend"); the page shows the first failing step.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from borne.application.ports.backend import ConnectionStep, StepResult, StepState
from borne.foundation.events import Signal
from borne.protocols.ocpp.rpc.errors import OcppError


class ConnectFailed(OcppError):
    """The connection failed: the step and the reason."""

    def __init__(self, step: ConnectionStep, reason: str, http_status: int | None = None) -> None:
        super().__init__(f"{step}: {reason}")
        self.step = step
        self.reason = reason
        self.http_status = http_status


class ConnectionSteps:
    """Collects the results; restarting a step resets the steps above it."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.changed: Signal[StepResult] = Signal()
        """Emitted when a step succeeds or fails that did not before."""
        self._now = now
        self._results = {step: StepResult(step) for step in ConnectionStep}

    def results(self) -> tuple[StepResult, ...]:
        """All steps, lowest first."""
        return tuple(self._results.values())

    def first_failure(self) -> StepResult | None:
        """The lowest failing step."""
        return next((r for r in self._results.values() if r.state is StepState.FAILED), None)

    def restart(self) -> None:
        """Start a new attempt: all results are reset, the last errors stay readable."""
        for step in ConnectionStep:
            self._set(step, StepState.UNKNOWN, "")

    def running(self, step: ConnectionStep) -> None:
        """The step has started."""
        self._set(step, StepState.RUNNING, "")

    def ok(self, step: ConnectionStep, detail: str = "", http_status: int | None = None) -> None:
        self._set(step, StepState.OK, detail, http_status)

    def skipped(self, step: ConnectionStep) -> None:
        """The step is not needed."""
        self._set(step, StepState.SKIPPED, "")

    def failed(self, step: ConnectionStep, reason: str, http_status: int | None = None) -> None:
        """The step failed; the steps above it are unknown."""
        steps = list(ConnectionStep)
        for other in steps[steps.index(step) + 1 :]:
            self._set(other, StepState.UNKNOWN, "")
        now = self._now()
        self._put(StepResult(step, StepState.FAILED, reason, http_status, now, reason, now))

    def _set(
        self, step: ConnectionStep, state: StepState, detail: str, http_status: int | None = None
    ) -> None:
        old = self._results[step]
        now = self._now()
        self._put(
            StepResult(step, state, detail, http_status, now, old.last_error, old.last_error_at)
        )

    def _put(self, result: StepResult) -> None:
        before = self._results[result.step]
        self._results[result.step] = result
        settled = result.state in {StepState.OK, StepState.FAILED}
        if settled and (before.state, before.detail) != (result.state, result.detail):
            self.changed.emit(result)
