"""Why the last card was refused, and what helps: for dashboard and simulator."""

from __future__ import annotations

from collections.abc import Mapping

from borne.adapters.web.i18n import Words
from borne.domain.authorization.decision import LIST_OFF
from borne.domain.station.station_status import StationStatus
from borne.foundation.messages import N_

SHOWN_S = 300.0
"""After this time the message is hidden."""
_UNKNOWN = N_("it is not on the local whitelist. Add it on the page Whitelists.")
REASONS: Mapping[str, str] = {
    "unknown_card": _UNKNOWN,
    "other_connector": N_(
        "the local whitelist allows it at the other socket only. Change its entry on the page "
        "Whitelists."
    ),
    "secure_card_needed": N_(
        "only cards that are protected against copying are accepted (EnforceSecureRFID)."
    ),
    "refused_by_list": N_(
        "the stored answer of the backend refuses it, and the backend cannot be asked now."
    ),
    "refused_by_backend": N_("the backend does not know it. The operator of the backend adds it."),
    "backend_unreachable": N_(
        "it is in no list of the station, and the backend cannot be reached. See the page Backend."
    ),
    "reserved": N_("the socket is reserved for somebody else."),
    "held_too_short": N_("it was taken away too early. Hold it for two seconds."),
}
WHY: Mapping[str, str] = {
    LIST_OFF: N_(
        "there is no backend, and the local whitelist is switched off. Enable the local whitelist "
        "in the settings (Whitelists) and add the card there."
    ),
    "Blocked": N_("the backend has blocked it. Ask the issuer of the card."),
    "Expired": N_("it has expired. Ask the issuer of the card."),
    "ConcurrentTx": N_("it charges elsewhere already. End that session first."),
}


def refused(status: StationStatus, words: Words) -> str:
    """The message; None if the last card was accepted or is too old."""
    card = status.last_card
    if card is None or card.accepted or (status.time - card.at).total_seconds() > SHOWN_S:
        return ""
    text = WHY.get(card.why) or REASONS.get(card.reason, _UNKNOWN)
    if card.masked:
        return words("Card {card} refused: {why}").format(card=card.masked, why=words(text))
    return words("Card refused: {why}").format(why=words(text))
