"""The page of the whitelist: names, delete with undo, import, export, teach-in."""

from __future__ import annotations

import re

import pytest

from borne.application.authorization.teach_in import TeachIn
from borne.application.ports.hardware import CardRead
from borne.domain.principals import SYSTEM, Role
from tests.support.fake_station import FakeHost, whitelist
from tests.unit.adapters.web.conftest import Client, Clients
from tests.unit.adapters.web.test_pages import HTMX, text_of

ANNA = "04567DAA5F3580"
NEW = "04112233445566"


@pytest.fixture
async def person(browser: Clients) -> Client:
    return await browser(Role.OPERATOR)


def teach_in(host: FakeHost) -> TeachIn:
    found = host.all.teach_in
    assert found is not None
    return found


def number_of(host: FakeHost) -> int:
    return host.all.whitelist.page(limit=1)[1]


# Entries ------------------------------------------------------------------------------------------


async def test_a_name_is_changed_in_place(person: Client, host: FakeHost) -> None:
    data = {"token": ANNA, "connector": "", "name": "Anna's card"}
    assert "Saved." in (await person.post("/whitelists/rename", data=data, headers=HTMX)).text
    [entry], _ = host.all.whitelist.page(search=ANNA)
    assert entry.name == "Anna's card"
    assert 'value="Anna&#39;s card"' in (await person.get("/whitelists")).text
    data["token"] = NEW
    assert (await person.post("/whitelists/rename", data=data, headers=HTMX)).status_code == 404


@pytest.mark.parametrize("count", ["", "8", "all", "-9", "9.0"])
async def test_all_are_deleted_only_when_their_number_is_confirmed(
    count: str, person: Client, host: FakeHost
) -> None:
    answer = await person.post("/whitelists/clear", data={"count": count}, headers=HTMX)
    assert answer.status_code == 422
    assert "type the number of entries, 9." in answer.json()["message"]
    assert number_of(host) == 9


async def test_all_are_deleted_and_restored(person: Client, host: FakeHost) -> None:
    answer = await person.post("/whitelists/clear", data={"count": "9"}, headers=HTMX)
    assert "9 entries deleted." in answer.text
    assert 'data-stay="8000"' in answer.text
    assert number_of(host) == 0
    back = await person.post("/whitelists/undo", headers=HTMX)
    assert "9 entries are back." in back.text
    assert number_of(host) == 9
    late = await person.post("/whitelists/undo", headers=HTMX)
    assert late.json()["error"] == "too_late"


async def test_the_list_is_exported_as_files(person: Client) -> None:
    table = await person.get("/whitelists/export")
    assert table.headers["content-disposition"] == 'attachment; filename="whitelist.csv"'
    assert ANNA in table.text
    assert "," in table.text.splitlines()[0]
    colons = await person.get("/whitelists/export?form=colons")
    assert f"{ANNA}:" in colons.text
    assert colons.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("typed", "spellings"),
    [
        ("0a:0e 9B-83", ["0a0e9b83", "0A0E9B83", "839b0e0a", "839B0E0A"]),
        ("0a0e", []),
        ("", []),
        ("<script>", []),
    ],
)
async def test_a_number_is_found_in_all_four_spellings(
    typed: str, spellings: list[str], person: Client
) -> None:
    answer = await person.get("/whitelists/spellings", params={"token": typed})
    assert re.findall(r'class="mono">(\w+)<', answer.text) == spellings
    if spellings:
        assert re.search(r'class="strong"><span class="mono">0a0e9b83<', answer.text)


# Import -------------------------------------------------------------------------------------------

TEXT = f"uid;name\n{ANNA};Anna B.\n{NEW};Eve\n{NEW};Eve\nhello;nobody\n"


async def test_an_import_is_checked_before_it_is_done(person: Client, host: FakeHost) -> None:
    text = text_of((await person.post("/whitelists/import", data={"text": TEXT})).text)
    for words in ("What would happen", "New 1", "Changed 1", "Cannot be used 1", "Line 5: hello"):
        assert words in text
    assert number_of(host) == 9
    done = await person.post("/whitelists/import", data={"text": TEXT, "import": "1"})
    assert "Done" in text_of(done.text)
    assert number_of(host) == 10


async def test_an_import_without_errors_returns_to_the_list(person: Client, host: FakeHost) -> None:
    data = {"text": f"{NEW}_1:04AABBCCDDEEFF", "import": "1"}
    answer = await person.post("/whitelists/import", data=data)
    assert (answer.status_code, answer.headers["location"]) == (303, "/whitelists")
    [entry], _ = host.all.whitelist.page(search=NEW)
    assert entry.connector == 1


async def test_a_list_can_replace_the_other(person: Client, host: FakeHost) -> None:
    data = {"text": f"{ANNA}\n{NEW}\n", "replace": "1"}
    assert "Deleted 8" in text_of((await person.post("/whitelists/import", data=data)).text)
    await person.post("/whitelists/import", data=data | {"import": "1"})
    assert number_of(host) == 2


async def test_an_exported_list_can_be_imported(person: Client, host: FakeHost) -> None:
    host.replace(whitelist=await whitelist(host.all.clock, 5000))
    exported = (await person.get("/whitelists/export")).text
    answer = await person.post("/whitelists/import", data={"text": exported})
    assert answer.status_code == 200
    assert "There already 5000" in text_of(answer.text)


async def test_a_list_that_is_too_long_is_refused(person: Client) -> None:
    answer = await person.post("/whitelists/import", data={"text": "0" * 5_000_000})
    assert answer.status_code == 413


# Teach-in -----------------------------------------------------------------------------------------


async def start(person: Client, **fields: str) -> str:
    answer = await person.post("/whitelists/teach", data=fields, headers=HTMX)
    assert answer.status_code == 200
    found = re.search(r'data-lease="([^"]+)"', answer.text)
    assert found
    return found[1]


async def shown(host: FakeHost, uid: str, connector: int | None = None) -> None:
    teach_in(host).on_card(CardRead(uid, connector))
    for task in list(teach_in(host)._supervisor._tasks):
        await task


async def test_cards_that_are_shown_are_in_the_list_and_the_log(
    person: Client, host: FakeHost
) -> None:
    lease = await start(person)
    await shown(host, NEW)
    await shown(host, ANNA)
    answer = await person.post("/whitelists/teach/renew", data={"lease": lease}, headers=HTMX)
    text = text_of(answer.text)
    assert text.index(f"{ANNA} is in the list already") < text.index(f"{NEW} added")
    assert f'aria-label="Name of {NEW}"' in answer.text
    done = await person.post("/whitelists/teach/finish", data={"lease": lease}, headers=HTMX)
    assert "1 card added." in done.text
    assert NEW in done.text
    assert teach_in(host).state() is None
    assert number_of(host) == 10


async def test_a_teach_in_for_one_socket(person: Client, host: FakeHost) -> None:
    await start(person, reader="2", bind="1")
    await shown(host, NEW, 1)
    await shown(host, "04AABBCCDDEEFF", 2)
    assert number_of(host) == 10
    [entry], _ = host.all.whitelist.page(search="04AABBCCDDEEFF")
    assert entry.connector == 1


async def test_reader_and_socket_are_chosen_while_it_runs(person: Client, host: FakeHost) -> None:
    lease = await start(person)
    data = {"lease": lease, "reader": "2", "bind": "1"}
    answer = await person.post("/whitelists/teach/choose", data=data, headers=HTMX)
    assert "Hold a card to the reader of socket 2." in text_of(answer.text)
    await shown(host, NEW, 1)
    await shown(host, "04AABBCCDDEEFF", 2)
    [entry], _ = host.all.whitelist.page(search="04AABBCCDDEEFF")
    assert entry.connector == 1
    assert number_of(host) == 10


async def test_a_disabled_list_is_enabled_on_its_page(person: Client, host: FakeHost) -> None:
    settings = host.all.settings
    await settings.change({"FLLEnable": False}, SYSTEM, "a test")
    assert "Enable local whitelist" in text_of((await person.get("/whitelists")).text)
    answer = await person.post("/whitelists/enable", headers=HTMX)
    assert "The local whitelist is on" in answer.text
    assert settings.settings["FLLEnable"] is True
    assert "switched off" not in text_of((await person.get("/whitelists")).text)


async def test_a_running_teach_in_is_shown_to_others_who_cannot_start_one(
    person: Client, browser: Clients
) -> None:
    await start(person)
    other = await browser(Role.INSTALLER)
    page = text_of((await other.get("/whitelists")).text)
    assert "Teach-in is running (by operator at" in page
    refused = await other.post("/whitelists/teach", headers=HTMX)
    assert (refused.status_code, refused.json()["error"]) == (409, "teach_in_running")


async def test_a_teach_in_is_prolonged_by_a_minute(person: Client, host: FakeHost) -> None:
    lease = await start(person)
    answer = await person.post("/whitelists/teach/prolong", data={"lease": lease}, headers=HTMX)
    assert 'data-seconds="60"' in answer.text


@pytest.mark.parametrize("what", ["renew", "prolong", "choose", "finish"])
async def test_after_its_end_the_teach_in_dialogue_offers_a_new_start(
    what: str, person: Client, host: FakeHost
) -> None:
    lease = await start(person)
    teach_in(host).finish(lease)
    answer = await person.post(f"/whitelists/teach/{what}", data={"lease": lease}, headers=HTMX)
    assert answer.status_code == 200
    assert 'hx-post="/whitelists/teach"' in answer.text
    assert "data-lease" not in answer.text
    assert ("The time is over." in answer.text) is (what != "finish")


async def test_without_a_reader_there_is_no_teach_in(person: Client, host: FakeHost) -> None:
    host.replace(teach_in=None)
    html = (await person.get("/whitelists")).text
    assert 'hx-post="/whitelists/teach"' not in html
    assert 'action="/whitelists/add"' in html
    assert (await person.post("/whitelists/teach", headers=HTMX)).status_code == 404
