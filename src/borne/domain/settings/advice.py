"""What is allowed and still likely wrong: hints for pages, never a refusal (manual 1.4, 4, 7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from borne.domain.settings.catalogue.meter_profiles import PROFILES
from borne.domain.settings.choices import (
    Connection,
    DlmRole,
    HighLevelCommunication,
    OcppMode,
    TlsStrictness,
)
from borne.domain.settings.snapshot import Settings
from borne.foundation.messages import N_, Message


@dataclass(frozen=True, slots=True)
class Advice:
    """A hint at one setting."""

    key: str
    text: Message


def advice(settings: Settings) -> list[Advice]:
    """All hints for these settings."""
    found: list[Advice] = []
    for check in (_backend, _cards, _group, _meters, _communication):
        found += [Advice(key, Message(text)) for key, text in check(settings)]
    return found


Hints = Iterator[tuple[str, str]]


def _backend(settings: Settings) -> Hints:
    if settings.choice("ConnectionType", Connection) is Connection.NO_BACKEND:
        return
    json = settings.choice("OCPPMode", OcppMode) is OcppMode.JSON_1_6
    key = "WebSocketsBackendURL" if json else "SOAPBackendURL"
    url = settings.text(key).lower()
    if not url:
        yield key, N_("Enter the address of the backend: without it nothing is reached.")
    if url.startswith(("ws://", "http://")):
        yield key, N_("This address is not encrypted: use it in a private network only.")
    strictness = settings.choice("SSLStrictnessClient", TlsStrictness)
    if strictness is not TlsStrictness.NORMAL:
        yield (
            "SSLStrictnessClient",
            N_("Somebody on the way could pose as the backend: choose Normal SSL Auth."),
        )


def _cards(settings: Settings) -> Hints:
    if settings.flag("FreeCharging") and settings.flag("FLLEnable"):
        yield "FLLEnable", N_("Cards are not needed while free charging is on.")
    if settings.flag("EnforceMasterRFID") and not settings.text("MasterRFID"):
        yield "EnforceMasterRFID", N_("No master card is known yet.")


def _group(settings: Settings) -> Hints:
    role = settings.choice("DLMRole", DlmRole)
    if role is DlmRole.DISABLED:
        return
    if role is DlmRole.SLAVE_FIXED and not settings.text("DLMMasterAddress"):
        yield "DLMMasterAddress", N_("Enter where the master is: this slave cannot find it.")
    if role.is_slave and not settings.text("DLMSiteKey"):
        yield "DLMSiteKey", N_("Copy the site key of the master: it does not trust this slave yet.")
    if role.is_master and settings.flag("WANRouter"):
        yield "WANRouter", N_("The gateway should be another station than the master.")
    minimum = settings.integer("DLMMinimumCurrentLimit")
    for connector in range(1, settings.facts.connectors + 1):
        if 0 < settings.integer("OperatorCurrentLimit", connector) < minimum:
            yield (
                "DLMMinimumCurrentLimit",
                N_("This is more than the operator current limit: that socket only pauses."),
            )
            return


def _meters(settings: Settings) -> Hints:
    master = settings.choice("DLMRole", DlmRole).is_master
    if master and settings.flag("DLMExternalMeterSupport"):
        in_network = PROFILES[settings.text("SecondMeterConfig")].in_network
        if in_network and not settings.text("SecondMeterIP"):
            yield "SecondMeterIP", N_("Enter the address of the meter.")
    for connector in range(1, settings.facts.connectors + 1):
        in_network = PROFILES[settings.text("MeterConfig", connector)].in_network
        if in_network and not settings.text("MeterIP", connector):
            name = "MeterIP" if connector == 1 else f"MeterIP_{connector}"
            yield name, N_("Enter the address of the meter.")


def _communication(settings: Settings) -> Hints:
    old = {HighLevelCommunication.ENCOURAGE, HighLevelCommunication.FORCE}
    for connector in range(1, settings.facts.connectors + 1):
        if settings.choice("HLC15118Mode", HighLevelCommunication, connector) in old:
            name = "HLC15118Mode" if connector == 1 else f"HLC15118Mode_{connector}"
            yield name, N_("For old cars only: others may not charge.")
