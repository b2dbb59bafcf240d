"""The sentence of a reason is the same on pages, in the API and in the log."""

from __future__ import annotations

import pytest

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.participant import Reason
from borne.domain.load_management.reason_text import CAUSES, SOURCES, reason_text
from borne.domain.load_management.topology import ROOT, GridPhase, SupplyLink

ON_ROOT = SupplyLink(ROOT, GridPhase.N2)
ON_GARAGE = SupplyLink("Garage", GridPhase.N3)


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        pytest.param(
            Reason(LimitCause.FAIR_SHARE, ON_ROOT, sharing=3),
            "fair share among 3 on N2 of the EVSE sub-distribution",
            id="shared",
        ),
        pytest.param(
            Reason(LimitCause.FAIR_SHARE, ON_GARAGE), "fair share on N3 of Garage", id="a slave"
        ),
        pytest.param(Reason(LimitCause.FAIR_SHARE), "fair share among the sockets", id="no line"),
        pytest.param(
            Reason(LimitCause.WAITING_FOR_MINIMUM, ON_GARAGE, amps=4.25),
            "waits: only 4.2 A is left on N3 of Garage, less than the minimum",
            id="waits",
        ),
        pytest.param(
            Reason(LimitCause.TAKES_LESS, amps=10.0),
            "the car draws only 10 A; the rest goes to others",
            id="takes less",
        ),
        pytest.param(
            Reason(LimitCause.OWN_LIMIT, amps=16.0, source=LimitCause.CABLE),
            "all that the socket may have (Cable)",
            id="its own limit",
        ),
        pytest.param(
            Reason(LimitCause.IMBALANCE, ON_ROOT, GridPhase.N3),
            "more would load the phases unequally: N2 of the EVSE sub-distribution above N3",
            id="imbalance",
        ),
    ],
)
def test_sentence(reason: Reason, text: str) -> None:
    assert str(reason_text(reason)) == text


ROOT_LINES = {
    LimitCause.SUB_DISTRIBUTION: "the EVSE sub-distribution",
    LimitCause.OPERATOR: "the EVSE sub-distribution (limit: Operator)",
    LimitCause.SCHEDULER: "the EVSE sub-distribution (limit: Scheduler)",
    LimitCause.EXTERNAL_INPUT: "the EVSE sub-distribution (limit: Digital input)",
    LimitCause.ENERGY_MANAGER: "the EVSE sub-distribution (limit: Energy manager)",
    LimitCause.OCPP_STATION: "the EVSE sub-distribution (limit: Backend profile, station)",
    LimitCause.EXTERNAL_LOAD: "the main distribution less the building",
    LimitCause.EXTERNAL_LOAD_FALLBACK: "the main distribution, building not measured",
}


@pytest.mark.parametrize(("source", "line"), ROOT_LINES.items())
def test_the_line_of_the_whole_group_is_named_by_what_limits_it(
    source: LimitCause, line: str
) -> None:
    reason = Reason(LimitCause.FAIR_SHARE, ON_ROOT, sharing=3, source=source)
    assert str(reason_text(reason)) == f"fair share among 3 on N2 of {line}"
    in_a_hall = Reason(LimitCause.FAIR_SHARE, ON_GARAGE, source=source)
    assert str(reason_text(in_a_hall)) == "fair share on N3 of Garage"


@pytest.mark.parametrize("cause", [cause for cause in LimitCause if cause.value != "minimum"])
@pytest.mark.parametrize("link", [None, ON_ROOT], ids=["no line", "a line"])
def test_every_cause_has_a_sentence(cause: LimitCause, link: SupplyLink | None) -> None:
    assert cause in CAUSES or cause in SOURCES
    if cause is not LimitCause.PROFILE:
        assert "{" not in str(reason_text(Reason(cause, link)))
