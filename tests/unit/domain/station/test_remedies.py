"""Help for every fault (manual 9) and every row of manual 10."""

from __future__ import annotations

import pytest

from borne.domain.station.faults import CATALOGUE, Fault
from borne.domain.station.indication import PATTERNS
from borne.domain.station.remedies import (
    CAN_CHARGE,
    FOR_FAULT,
    LIGHTS,
    REMEDIES,
    WHO,
    CanCharge,
    Check,
    Remedy,
    Who,
)

MANUAL_10 = {
    "card-not-read",
    "no-backend-gsm",
    "no-backend-ethernet",
    "backend-config",
    "backend-not-ready",
    "backend-drops",
    "leds-off",
    "leds-gyb-meter-dark",
    "error-on-plug-in",
    "other",
}


def test_every_fault_and_every_row_of_manual_10_has_a_page() -> None:
    assert set(FOR_FAULT) == set(Fault)
    assert set(REMEDIES) == {fault.value for fault in Fault} | MANUAL_10


@pytest.mark.parametrize("remedy", REMEDIES.values(), ids=lambda remedy: remedy.slug)
def test_a_page_answers_every_question(remedy: Remedy) -> None:
    texts = [remedy.title, remedy.explanation, remedy.clears, *(s.text for s in remedy.steps)]
    assert all(texts)
    assert remedy.who
    assert remedy.steps
    assert len({step.text for step in remedy.steps}) == len(remedy.steps)
    assert all(text == " ".join(text.split()) for text in texts), "no stray blanks"
    assert all(text.endswith((".", "?", ":")) for text in texts[1:])


@pytest.mark.parametrize("fault", Fault)
def test_a_page_says_what_the_backend_hears(fault: Fault) -> None:
    remedy = FOR_FAULT[fault]
    assert remedy.kind is CATALOGUE[fault]
    assert remedy.title == CATALOGUE[fault].activation
    assert remedy.slug == fault.value


@pytest.mark.parametrize("fault", Fault)
def test_nobody_is_told_to_charge_where_it_is_blocked(fault: Fault) -> None:
    answer = FOR_FAULT[fault].can_charge
    if CATALOGUE[fault].blocks:
        assert answer in (CanCharge.NOT_HERE, CanCharge.NOBODY, CanCharge.LATER)
    elif fault not in (Fault.VENTILATION, Fault.STORAGE_FULL):
        assert answer in (CanCharge.YES, CanCharge.PERHAPS)


def test_danger_comes_first() -> None:
    assert REMEDIES["contactor-welded"].steps[0].text.startswith("Danger")
    assert Who.YOU not in REMEDIES["contactor-welded"].who


def test_every_answer_has_words() -> None:
    assert set(CAN_CHARGE) == set(CanCharge)
    assert set(WHO) == set(Who)


def test_every_check_is_used() -> None:
    used = {step.check for remedy in REMEDIES.values() for step in remedy.steps} - {None}
    assert used == set(Check)


def test_every_light_is_explained() -> None:
    assert set(LIGHTS) == set(PATTERNS)
    assert {slug for _, slugs in LIGHTS.values() for slug in slugs} <= set(REMEDIES)
