"""The search knows the manual's words, in every language, whatever language the pages have."""

from __future__ import annotations

from itertools import product

import pytest

from borne.adapters.web import search
from borne.adapters.web.i18n import NAMES, OWN_NAMES, Words
from borne.adapters.web.pages import setting_search, shell
from borne.adapters.web.pages.help_pages import matching_pages as help_found
from borne.domain.help.remedies import REMEDIES
from borne.domain.principals import SYSTEM, Role
from borne.domain.settings import CATALOGUE
from borne.domain.settings.active import ACTIVE
from borne.domain.settings.entry import Entry
from borne.domain.settings.manual_words import HELP_WORDS, PAGE_WORDS, WORDS
from borne.domain.settings.snapshot import Settings
from borne.domain.settings.view import view_all
from tests.support.cases import every_case

VIEWS = view_all(Settings(), SYSTEM, ACTIVE)
KNOWN = {view.name for view in VIEWS}


def results(query: str, language: str = "en") -> list[setting_search.Result]:
    return setting_search.find(VIEWS, Role.MANUFACTURER, query, Words(language))


def first(query: str, language: str = "en") -> str:
    """The name of the first setting, or the address of the first page."""
    result = results(query, language)[0]
    return result.name or result.url


# The manual's words -------------------------------------------------------------------------------

MANUAL = [
    ("Recharge gratuite", "FreeCharging"),
    ("Charge gratuite", "FreeCharging"),
    ("Mode de charge libre", "FreeChargingMode"),
    ("Délai d'expiration de la connexion du véhicule", "ConnectionTimeOut"),
    ("Envoyer l'autorisation pour RemoteStart", "AuthorizeRemoteTxRequests"),
    ("Verrouillez l'actionneur uniquement si autorisé", "LockActuatorOnlyIfAuthorized"),
    ("Limite de courant d'installation", "InstallationCurrentLimit"),
    ("Capacité de transport de courant de la ligne d'alimentation", "SupplyLineCurrentCapacity"),
    ("Redémarrer la transaction", "RestartTransactionAfterPowerLoss"),
    ("Délai d'attente de la connexion backend", "BackendConnectionTimeout"),
    ("Afficher la déconnexion du backend", "ShowBackendDisconnectAsError"),
    ("Intervalle de persistance WebSockets", "WebSocketPingInterval"),
    ("Limite de courant minimale", "DLMMinimumCurrentLimit"),
    ("Préparation jusqu'à l'état C", "PreparingUntilStateC"),
    ("Fixed Local List", "FLLEnable"),
    ("Activer la liste d'autorisation locale", "FLLEnable"),
    ("Courant de charge maximal en cas de déconnexion", "DLMDisconnectedLimit"),
    ("Déconnecter la limite en A", "DLMDisconnectedLimit"),
    ("Boîte à lettres RFID Tag", "RFIDTagLetterCase"),
    ("Boîtier supérieur", "RFIDTagLetterCase"),
    ("Arrêtez-vous uniquement en vous déconnectant", "StopTransactionMode"),
    ("Rigueur SSL en tant que client", "SSLStrictnessClient"),
    ("Courant de charge maximal de l'opérateur (connecteur 2)", "OperatorCurrentLimit"),
    ("Limite de sous-distribution de l'exploitant", "DLMOperatorEVSESubDistributionLimit"),
    ("Prise en charge du compteur kWh externe", "DLMExternalMeterSupport"),
    ("Phases connectées à la ChargePoint", "PhasesConnected"),
    ("Phases connected to the ChargePoint (Connector 2)", "PhasesConnected"),
    ("RFID - Esclave", "RFIDSlave"),
    ("Stromtragfähigkeit der Zuleitung [A]", "SupplyLineCurrentCapacity"),
    ("Ladestation mit einer Zuleitung", "SingleSupplyLine"),
    ("Phasendrehrichtung des Ladepunkts", "ConnectorPhaseRotation"),
    ("Anzahl der Phasen die am Ladepunkt angeschlossen sind", "PhasesConnected"),
    ("Modus voor netwerkconfiguratie", "EthernetConfigMode"),
    ("Handmatige configuratie", "EthernetConfigMode"),
    ("Statische netwerkconfiguratie netmasker", "StaticNetmask"),
    ("Simcard PIN Number", "SIMPin"),
    ("Modbus Siemens 7KM2200 (TCP)", "MeterConfig"),
    ("Tableau de bord", "/"),
    ("État de la connexion (backend)", "/"),
    ("Signaled Current", "/"),
    ("Listes blanches", "/whitelists"),
    ("Ajouter un article", "/whitelists"),
    ("Gestion de la charge", "/settings/load-management"),
    ("Enregistrer et redémarrer", "/settings"),
]


def test_a_word_of_the_manual_finds_its_setting() -> None:
    with every_case() as case:
        for (query, expected), language in product(MANUAL, ["en", "fr"]):
            with case(f"{query} in {language}"):
                assert first(query, language) == expected


def test_every_entry_with_synonyms_is_searched() -> None:
    with every_case() as case:
        for key, terms in WORDS.items():
            with case(key):
                labels = {result.name or result.label for result in results(terms[0])}
                assert key in labels or CATALOGUE[key].label in labels


def test_every_synonym_finds_its_entry() -> None:
    """Whatever has all words of a query is found, whatever else there is."""
    with every_case() as case:
        for key, terms in WORDS.items():
            alone = [search.Candidate(key, search.text_of(key))]
            for term in terms:
                with case(f"{term} of {key}"):
                    assert search.best_matches(alone, term) == [key]


def test_every_label_finds_its_setting_from_every_language() -> None:
    """A label copied from the manual in another language."""
    keys: dict[str, list[str]] = {}
    for (key, entry), language in product(CATALOGUE.settings.items(), NAMES):
        keys.setdefault(Words(language)(entry.label), []).append(key)
    with every_case() as case:
        for label, named in keys.items():
            with case(label):
                assert set(named) <= {result.name for result in results(label)[:12]}


@pytest.mark.parametrize("language", NAMES)
def test_every_value_finds_its_setting_from_every_language(language: str) -> None:
    with every_case() as case:
        for key, entry in CATALOGUE.settings.items():
            if key.startswith(("MeterConfig", "SecondMeterConfig")):
                continue
            alone = [search.Candidate(key, search.text_of(key))]
            for text in values(entry, language):
                with case(f"{text} of {key}"):
                    assert search.best_matches(alone, text) == [key]


def values(entry: Entry, language: str) -> list[str]:
    own = OWN_NAMES.get(entry.enum, {}) if entry.enum else {}
    return [own.get(each.slug) or Words(language)(each.label) for each in entry.choices]


# Order --------------------------------------------------------------------------------------------


def test_names_rank_before_texts_and_active_before_planned() -> None:
    found = results("limit")
    named = [each for each in found if "Limit" in each.label]
    assert named[0] == found[0]
    assert [each.planned for each in named] == sorted(each.planned for each in named)
    names = [each.name for each in found]
    assert names.index("OperatorCurrentLimit") < names.index("EEBusInterface")


def test_a_search_for_a_fuse_does_not_find_refused_messages() -> None:
    names = [result.name for result in results("fuse")]
    assert names[0] == "InstallationCurrentLimit"
    assert "TransactionMessageAttempts" not in names


def test_keys_of_the_standard_rank_last() -> None:
    names = [result.name for result in results("heartbeat") if result.name]
    assert names[0] == "ForceHeartbeat"
    assert names[-1] == "HeartbeatInterval"


@pytest.mark.parametrize(
    ("query", "same"),
    [
        ("DELAI D'EXPIRATION DE LA CONNEXION", "délai d’expiration de la connexion"),
        ("Aufwecken", "AUFWECKEN"),
        ("wi-fi", "Wi-Fi"),
    ],
)
def test_accents_signs_and_case_do_not_matter(query: str, same: str) -> None:
    assert results(query) == results(same)


def test_a_sentence_that_is_nearly_right_still_finds() -> None:
    assert first("limite maximale de courant de l'opérateur xyz") == "OperatorCurrentLimit"


def test_nonsense_finds_nothing() -> None:
    assert results("zzzzz") == []
    assert results("xyzzy plugh") == []
    assert results("  ") == []


def test_pages_of_a_stronger_role_are_not_found() -> None:
    pages = {each.url for each in setting_search.find([], Role.USER, "whitelists", Words("en"))}
    assert "/whitelists" not in pages


# One place for the words --------------------------------------------------------------------------


def test_every_synonym_belongs_to_an_entry() -> None:
    assert {key for key in WORDS if key not in CATALOGUE} == set()
    assert PAGE_WORDS.keys() <= setting_search.PAGES.keys()
    assert HELP_WORDS.keys() <= REMEDIES.keys()
    assert set(setting_search.TARGETS) <= {entry.key for entry in setting_search.OTHERS}


def test_every_page_of_the_navigation_has_words_to_be_found_by() -> None:
    """The simulator is no page of a station, and so not searched."""
    urls = {item.url for item in shell.NAVIGATION if not item.simulator}
    assert urls - PAGE_WORDS.keys() == set()


@pytest.mark.parametrize(
    "query",
    ["live load", "répartition du courant", "Stromverteilung", "bekende stations", "DLM status"],
)
def test_the_page_of_the_live_load_is_found_in_every_language(query: str) -> None:
    assert "/load" in {result.url for result in results(query)[:3]}


def test_a_word_of_the_manual_finds_its_help_page() -> None:
    with every_case() as case:
        for slug, words in HELP_WORDS.items():
            for term in words.split(";"):
                with case(f"{term} of {slug}"):
                    assert slug in {remedy.slug for remedy in help_found(term)}
