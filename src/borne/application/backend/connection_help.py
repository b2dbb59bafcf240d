"""Help for the failing step of the connection (manual 10, rows "no backend"): one table for pages
and API. Texts are in English and marked for translation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from borne.application.ports.backend import ConnectionStep, StepResult, StepState
from borne.foundation.messages import N_


@dataclass(frozen=True, slots=True)
class _Row:
    """`signs`: one of them must occur in the error, in lower case; without signs the row matches
    any error."""

    step: str
    remedy: str
    http: range | None = None
    signs: tuple[str, ...] = ()


_ROWS: Final = (
    _Row("interface", N_("Check the cable or the SIM card, and the connection type.")),
    _Row("apn", N_("Compare APN, user and password with the provider.")),
    _Row("gateway", N_("Check address, netmask and gateway of the station.")),
    _Row("dns", N_("Check the host in the URL and the DNS server.")),
    _Row(
        "tcp",
        N_("Check address, netmask and gateway of the station."),
        signs=("network is unreachable", "no route to host"),
    ),
    _Row(
        "tcp",
        N_("The host is there, but no service listens at this port: compare the URL."),
        signs=("refused",),
    ),
    _Row(
        "tcp",
        N_("There is no answer: check the firewall, and whether the provider allows access."),
        signs=("no answer", "timed out", "timeout"),
    ),
    _Row("tcp", N_("Check port and firewall; does the provider allow you?")),
    _Row(
        "tls",
        N_("The certificate is of another host: compare the URL with it."),
        signs=("hostname mismatch", "ip address mismatch"),
    ),
    _Row(
        "tls",
        N_("Check the date of the station; if it is right, the provider must renew."),
        signs=("expired", "not yet valid"),
    ),
    _Row(
        "tls",
        N_("The issuer of the certificate is unknown: install the provider's root."),
        signs=("self-signed", "self signed", "unable to get local issuer"),
    ),
    _Row("tls", N_("Check the clock and the certificate of the backend.")),
    _Row(
        "websocket",
        N_("Compare password and ChargeBoxIdentity with the provider."),
        http=range(401, 404),
    ),
    _Row(
        "websocket",
        N_("The backend does not know this address: compare URL and ChargeBoxIdentity."),
        http=range(404, 405),
    ),
    _Row(
        "websocket",
        N_("The backend has moved: ask the provider for the new URL."),
        http=range(300, 400),
    ),
    _Row(
        "websocket",
        N_("The backend itself has a problem: wait, then ask the provider."),
        http=range(500, 600),
    ),
    _Row(
        "websocket",
        N_("The service at this address is not OCPP 1.6: compare the URL."),
        signs=("does not speak", "subprotocol"),
    ),
    _Row(
        "websocket",
        N_(
            "The network or the backend closed the connection; if that happens often, shorten "
            "the keep-alive."
        ),
        signs=("connection was lost",),
    ),
    _Row(
        "websocket",
        N_("HTTP 401: password or ChargeBoxIdentity. 404: the URL. Compare them."),
    ),
    _Row("soap", N_("Check the URL and the address the backend shall call.")),
    _Row(
        "boot",
        N_("The provider must accept this station: tell it the ChargeBoxIdentity."),
        signs=("rejected",),
    ),
    _Row("boot", N_("The provider has not released this station yet."), signs=("pending",)),
    _Row(
        "boot",
        N_("The backend is connected but does not answer: ask the provider."),
        signs=("no answer",),
    ),
    _Row("boot", N_("Register the station at the provider.")),
    _Row("heartbeat", N_("The backend is connected but does not answer: ask the provider.")),
)


def remedy(step: str, detail: str = "", http_status: int | None = None) -> str:
    """The remedy in English; empty if unknown."""
    error = detail.lower()
    for row in _ROWS:
        if row.step != step:
            continue
        if row.http is not None and http_status not in row.http:
            continue
        if row.signs and not any(sign in error for sign in row.signs):
            continue
        return row.remedy
    return ""


def remedy_of(result: StepResult) -> str:
    """The remedy of a failing step; empty for others."""
    if result.state is not StepState.FAILED:
        return ""
    return remedy(result.step, result.detail or result.last_error, result.http_status)


def failing_step(results: Iterable[StepResult]) -> ConnectionStep | None:
    """The first failing step."""
    return next((each.step for each in results if each.state is StepState.FAILED), None)
