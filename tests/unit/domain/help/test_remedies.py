"""Help for every fault (manual 9) and every row of manual 10."""

from __future__ import annotations

from borne.domain.help.remedies import (
    CAN_CHARGE,
    LIGHTS,
    REMEDIES,
    WHO,
    CanCharge,
    Check,
    Who,
)
from borne.domain.station.faults import CATALOGUE, Fault
from borne.domain.station.indication import PATTERNS
from tests.support.cases import every_case

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
    assert set(REMEDIES) == {fault.value for fault in Fault} | MANUAL_10


def test_every_page_has_meaning_cause_and_steps() -> None:
    with every_case() as case:
        for slug, remedy in REMEDIES.items():
            with case(slug):
                steps = [step.text for step in remedy.steps]
                texts = [remedy.title, remedy.explanation, remedy.clears, *steps]
                assert all(texts)
                assert remedy.who
                assert steps
                assert len(set(steps)) == len(steps)
                assert all(text == " ".join(text.split()) for text in texts), "no stray blanks"
                assert all(text.endswith((".", "?", ":")) for text in texts[1:])


def test_a_page_belongs_to_its_row_of_the_catalogue() -> None:
    with every_case() as case:
        for fault in Fault:
            with case(fault.value):
                remedy = REMEDIES[fault.value]
                assert remedy.kind is CATALOGUE[fault]
                assert remedy.title == CATALOGUE[fault].activation
                assert remedy.fault is fault


def test_no_page_says_one_can_charge_where_the_fault_blocks() -> None:
    with every_case() as case:
        for fault in Fault:
            with case(fault.value):
                answer = REMEDIES[fault.value].can_charge
                if CATALOGUE[fault].blocks:
                    assert answer in (CanCharge.NOT_HERE, CanCharge.NOBODY, CanCharge.LATER)
                elif fault not in (Fault.VENTILATION, Fault.STORAGE_FULL):
                    assert answer in (CanCharge.YES, CanCharge.PERHAPS)


def test_warnings_of_danger_come_first() -> None:
    assert REMEDIES["contactor-welded"].steps[0].text.startswith("Danger")
    assert Who.YOU not in REMEDIES["contactor-welded"].who


def test_every_answer_has_a_text() -> None:
    assert set(CAN_CHARGE) == set(CanCharge)
    assert set(WHO) == set(Who)


def test_every_check_is_used() -> None:
    used = {step.check for remedy in REMEDIES.values() for step in remedy.steps} - {None}
    assert used == set(Check)


def test_every_light_is_explained() -> None:
    assert set(LIGHTS) == set(PATTERNS)
    assert {slug for _, slugs in LIGHTS.values() for slug in slugs} <= set(REMEDIES)
