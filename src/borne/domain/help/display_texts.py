"""Texts of the two-line display with 16 characters per line, in all its languages.

The manual (5.3, "Language of Display") lists the languages but no texts, so these are our own. They
are data instead of gettext entries, because the display has its own language setting and its lines
must fit into 16 characters. `{figures}` is replaced by power and energy.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from borne.domain.settings.choices import DisplayLanguage


class Announcement(StrEnum):
    """Events and states that the display shows."""

    SHOW_CARD = "show_card"
    PLUG_IN = "plug_in"
    RESERVED = "reserved"
    PLUGGED_SHOW_CARD = "plugged_show_card"
    CHECKING = "checking"
    REFUSED = "refused"
    ACCEPTED_PLUG_IN = "accepted_plug_in"
    ACCEPTED = "accepted"
    CHARGING = "charging"
    VEHICLE_PAUSES = "vehicle_pauses"
    STATION_PAUSES = "station_pauses"
    ENDING = "ending"
    UNPLUG = "unplug"
    OUT_OF_SERVICE = "out_of_service"
    FAULT = "fault"
    UPDATING = "updating"
    PLUGGED_WAIT = "plugged_wait"


FIGURES = "{figures}"


def _texts(*lines: str) -> Mapping[Announcement, tuple[str, str]]:
    """Pair `lines` (two lines separated by a bar) with the announcements in their order; the last
    announcement combines the lines of two others."""
    pairs = (line.partition("|") for line in lines)
    both = [(first, second) for first, _, second in pairs]
    texts = dict(zip(list(Announcement)[:-1], both, strict=True))
    plugged, wait = texts[Announcement.PLUGGED_SHOW_CARD][0], texts[Announcement.CHECKING][1]
    return {**texts, Announcement.PLUGGED_WAIT: (plugged, wait)}


TEXTS: dict[DisplayLanguage, Mapping[Announcement, tuple[str, str]]] = {
    DisplayLanguage.ENGLISH: _texts(
        "Ready|Show your card",
        "Ready|Please plug in",
        "Reserved|",
        "Plugged in|Show your card",
        "Checking card|Please wait",
        "Card refused|",
        "Card accepted|Please plug in",
        "Accepted|Please wait",
        "Charging|{figures}",
        "Vehicle pauses|{figures}",
        "Charging paused|{figures}",
        "Charging ends|{figures}",
        "Finished|Please unplug",
        "Out of service|",
        "Fault|Do not use",
        "Update|Please wait",
    ),
    DisplayLanguage.GERMAN: _texts(
        "Bereit|Karte vorhalten",
        "Bereit|Bitte einstecken",
        "Reserviert|",
        "Eingesteckt|Karte vorhalten",
        "Prüfe Karte|Bitte warten",
        "Karte abgelehnt|",
        "Karte akzeptiert|Bitte einstecken",
        "Akzeptiert|Bitte warten",
        "Lädt|{figures}",
        "Auto pausiert|{figures}",
        "Laden pausiert|{figures}",
        "Laden endet|{figures}",
        "Beendet|Bitte ausstecken",
        "Außer Betrieb|",
        "Störung|Nicht benutzen",
        "Aktualisierung|Bitte warten",
    ),
    DisplayLanguage.FRENCH: _texts(
        "Prêt|Passez le badge",
        "Prêt|Branchez-vous",
        "Réservé|",
        "Branché|Passez le badge",
        "Vérification|Patientez",
        "Badge refusé|",
        "Badge accepté|Branchez-vous",
        "Accepté|Patientez",
        "Charge en cours|{figures}",
        "Pause véhicule|{figures}",
        "Charge en pause|{figures}",
        "Fin de charge|{figures}",
        "Terminé|Débranchez",
        "Hors service|",
        "En panne|Ne pas utiliser",
        "Mise à jour|Patientez",
    ),
    DisplayLanguage.DUTCH: _texts(
        "Gereed|Houd kaart voor",
        "Gereed|Steek stekker in",
        "Gereserveerd|",
        "Aangesloten|Houd kaart voor",
        "Kaart wordt|gecontroleerd",
        "Kaart geweigerd|",
        "Kaart akkoord|Steek stekker in",
        "Akkoord|Even wachten",
        "Laden|{figures}",
        "Auto pauzeert|{figures}",
        "Laden gepauzeerd|{figures}",
        "Laden stopt|{figures}",
        "Klaar|Stekker losmaken",
        "Buiten gebruik|",
        "Storing|Niet gebruiken",
        "Update|Even wachten",
    ),
    DisplayLanguage.ITALIAN: _texts(
        "Pronta|Avvicini tessera",
        "Pronta|Inserire spina",
        "Riservata|",
        "Collegata|Avvicini tessera",
        "Verifica tessera|Attendere",
        "Tessera negata|",
        "Accettata|Inserire spina",
        "Accettata|Attendere",
        "In carica|{figures}",
        "Pausa veicolo|{figures}",
        "Carica in pausa|{figures}",
        "Fine carica|{figures}",
        "Terminata|Staccare spina",
        "Fuori servizio|",
        "Guasto|Non usare",
        "Aggiornamento|Attendere",
    ),
    DisplayLanguage.SPANISH: _texts(
        "Lista|Acerque tarjeta",
        "Lista|Enchufe el cable",
        "Reservada|",
        "Conectado|Acerque tarjeta",
        "Comprobando|Espere",
        "Tarjeta denegada|",
        "Aceptada|Enchufe el cable",
        "Aceptada|Espere",
        "Cargando|{figures}",
        "Pausa vehículo|{figures}",
        "Carga en pausa|{figures}",
        "Fin de carga|{figures}",
        "Terminado|Desenchufe",
        "Fuera servicio|",
        "Avería|No usar",
        "Actualización|Espere",
    ),
    DisplayLanguage.FINNISH: _texts(
        "Vapaa|Näytä kortti",
        "Vapaa|Kytke kaapeli",
        "Varattu|",
        "Kytketty|Näytä kortti",
        "Tarkistetaan|Odota",
        "Kortti hylätty|",
        "Hyväksytty|Kytke kaapeli",
        "Hyväksytty|Odota",
        "Lataa|{figures}",
        "Auto tauolla|{figures}",
        "Lataus tauolla|{figures}",
        "Lataus päättyy|{figures}",
        "Valmis|Irrota kaapeli",
        "Ei käytössä|",
        "Vika|Älä käytä",
        "Päivitys|Odota",
    ),
    DisplayLanguage.SWEDISH: _texts(
        "Ledig|Visa kortet",
        "Ledig|Anslut kabeln",
        "Reserverad|",
        "Ansluten|Visa kortet",
        "Kontrollerar|Vänta",
        "Kort nekat|",
        "Godkänd|Anslut kabeln",
        "Godkänd|Vänta",
        "Laddar|{figures}",
        "Bilen pausar|{figures}",
        "Laddning pausad|{figures}",
        "Laddning slutar|{figures}",
        "Klar|Ta ur kabeln",
        "Ur drift|",
        "Fel|Använd inte",
        "Uppdatering|Vänta",
    ),
    DisplayLanguage.NORWEGIAN: _texts(
        "Ledig|Vis kortet",
        "Ledig|Koble til kabel",
        "Reservert|",
        "Tilkoblet|Vis kortet",
        "Kontrollerer|Vent",
        "Kort avvist|",
        "Godkjent|Koble til kabel",
        "Godkjent|Vent",
        "Lader|{figures}",
        "Bilen pauser|{figures}",
        "Lading pauset|{figures}",
        "Lading avsluttes|{figures}",
        "Ferdig|Ta ut kabelen",
        "Ute av drift|",
        "Feil|Ikke bruk",
        "Oppdatering|Vent",
    ),
    DisplayLanguage.DANISH: _texts(
        "Ledig|Vis kortet",
        "Ledig|Tilslut kablet",
        "Reserveret|",
        "Tilsluttet|Vis kortet",
        "Kontrollerer|Vent",
        "Kort afvist|",
        "Godkendt|Tilslut kablet",
        "Godkendt|Vent",
        "Lader|{figures}",
        "Bilen pauser|{figures}",
        "Ladning på pause|{figures}",
        "Ladning slutter|{figures}",
        "Færdig|Tag kablet ud",
        "Ude af drift|",
        "Fejl|Brug ikke",
        "Opdatering|Vent",
    ),
}
