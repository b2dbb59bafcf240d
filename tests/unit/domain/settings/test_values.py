"""Spelling of values: text, JSON, OCPP (decisions D3, D32)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.domain.settings import CATALOGUE, Amps
from borne.domain.settings.entry import Entry, Format, Type, Value
from borne.domain.settings.formats import Malformed
from borne.domain.settings.values import (
    Form,
    from_file,
    parse,
    to_file,
    to_json,
    to_ocpp,
    to_text,
)

ENTRIES = [entry for entry in CATALOGUE.settings.values() if not entry.constant]


def entry_of(key: str) -> Entry:
    return CATALOGUE.settings[key]


def _ints(entry: Entry) -> st.SearchStrategy[int]:
    numbers = st.integers(0 if entry.low is None else entry.low, entry.high or 9999)
    return numbers | st.sampled_from(list(entry.also)) if entry.also else numbers


_TEXTS: dict[Format, st.SearchStrategy[str]] = {
    Format.FREE: st.text(st.characters(categories=["L", "N", "P"]), max_size=8).map(str.strip),
    Format.PRINTABLE_ASCII: st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8),
    Format.IDENTITY: st.from_regex(r"[A-Z0-9*_=:+|@.-]{1,20}", fullmatch=True),
    Format.WEB_SOCKET_URL: st.sampled_from(["ws://a.example/x", "wss://[::1]:9000/ocpp/", ""]),
    Format.HTTP_URL: st.sampled_from(["http://a.example:80", "https://192.0.2.1/ocpp?x=1", ""]),
    Format.HOST: st.sampled_from(["mail.example", "192.0.2.1", "2001:db8::1"]),
    Format.HOST_PORT: st.sampled_from(["proxy.example:8080", "[2001:db8::1]:1", "192.0.2.1:65535"]),
    Format.NETWORK_NAME: st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True),
    Format.EMAIL: st.sampled_from(["a@b.example", ""]),
    Format.CARD: st.binary(min_size=4, max_size=10).map(lambda raw: raw.hex().upper()),
    Format.TIME_ZONE: st.sampled_from(["UTC", "Europe/Brussels", "America/Argentina/Salta"]),
    Format.DEVICE: st.sampled_from(["/dev/ttyUSB0", ""]),
    Format.PIN: st.from_regex(r"[0-9]{4,8}", fullmatch=True),
    Format.IP: st.ip_addresses().map(str),
    Format.NETMASK: st.sampled_from(["255.255.255.0", "255.255.0.0"]),
    Format.MEASURAND: st.sampled_from(
        ["Voltage", "Current.Import", "Current.Import.L1", "Voltage.L2-N"]
    ),
    Format.TIME_WINDOW: st.sampled_from(["07:00;09:30;10,10,10", "22:00;06:00;0,6,32"]),
    Format.GROUP: st.sampled_from(["hall;;63,63,63", "north wing;hall;32,32,0"]),
    Format.ENERGY_TARGET: st.sampled_from(["20 07:30", "7.5 23:00"]),
}


def values_of(entry: Entry) -> st.SearchStrategy[Value]:
    match entry.type:
        case Type.BOOL:
            return st.booleans()
        case Type.INT:
            return _ints(entry)
        case Type.CHOICE:
            return st.sampled_from([parse(entry, choice.slug) for choice in entry.choices])
        case Type.PER_PHASE:
            amps = st.integers(0, 9999)
            return st.builds(Amps, amps, amps, amps)
        case Type.LIST:
            items = st.lists(_TEXTS[entry.format], max_size=4, unique=True)
            return items.map(lambda found: tuple(item for item in found if item))
        case Type.SECRET_KEY:
            return st.binary(min_size=16, max_size=20)
        case _:
            texts = _TEXTS[entry.format]
            return texts.filter(lambda text: entry.min_length <= len(text) <= entry.max_length)


cases = st.sampled_from(ENTRIES).flatmap(lambda entry: st.tuples(st.just(entry), values_of(entry)))


@given(cases)
def test_values_read_by_a_backend_can_be_written_back(case: tuple[Entry, Value]) -> None:
    entry, value = case
    if entry.type is Type.SECRET_KEY and isinstance(value, bytes):
        assert parse(entry, value.hex(), Form.OCPP) == value
    else:
        assert parse(entry, to_ocpp(entry, value), Form.OCPP) == value


@given(cases)
def test_values_read_by_people_and_programs_can_be_written_back(case: tuple[Entry, Value]) -> None:
    entry, value = case
    if entry.type is not Type.SECRET_KEY:
        assert parse(entry, to_text(entry, value), Form.TEXT) == value
        assert parse(entry, to_json(value), Form.JSON) == value


@given(cases)
def test_files_keep_every_value(case: tuple[Entry, Value]) -> None:
    entry, value = case
    assert from_file(entry, to_file(value)) == value


@given(st.sampled_from(ENTRIES), st.text(max_size=40) | st.integers() | st.floats() | st.none())
def test_any_input_is_accepted_or_refused_with_a_sentence(entry: Entry, raw: object) -> None:
    for form in Form:
        try:
            value = parse(entry, raw, form)
        except Malformed as malformed:
            sentence = str(malformed.message)
        else:
            sentence = "."
            assert value is None or from_file(entry, to_file(value)) == value
        assert "." in sentence


def test_a_huge_input_is_refused() -> None:
    with pytest.raises(Malformed):
        parse(entry_of("NTPServers"), "a " * 10_000)


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("FreeCharging", "On", True),
        ("FreeCharging", "FALSE", False),
        ("FreeCharging", 1, True),
        ("FreeChargingMode", "1", "no_ocpp"),
        ("FreeChargingMode", 6, "full_any_rfid"),
        ("FreeChargingMode", "WITH OCPP FULL ANY RFID", "full_any_rfid"),
        ("FreeChargingMode", "Full_Any_Rfid", "full_any_rfid"),
        ("IfInDoubtAllowCharging", "0", "off"),
        ("IfInDoubtAllowCharging", "immediately when plugged", "immediately"),
        ("IfInDoubtAllowCharging", "immediately_when_plugged", "immediately"),
        ("DLMSampleRate", "3", "30s"),
        ("DLMSampleRate", "10 sec", "10s"),
        ("Autocharge", True, "on"),
        ("Autocharge", "true", "on"),
        ("ConnectorPhaseRotation", "RST", "rst"),
        ("OperatorCurrentLimit", "16", 16),
        ("OperatorCurrentLimit", 16.0, 16),
        ("OperatorCurrentLimit", 0, 0),
        ("MTU", "", None),
        ("DLMEVSESubDistributionLimit", "16", Amps(16, 16, 16)),
        ("DLMEVSESubDistributionLimit", [16, 20, 0], Amps(16, 20, 0)),
        ("MeterValuesSampledData", "voltage, POWER.Offered", ("Voltage", "Power.Offered")),
        ("MeterValuesSampledData", "", ()),
        ("MasterRFID", "04:56:7d:aa", "04567DAA"),
        ("StaticIP", " 192.168.1.10 ", "192.168.1.10"),
        ("StaticNetmask", "/24", "255.255.255.0"),
        ("DLMMaxCurrentSchedule", "7:00;9:30;10", ("07:00;09:30;10,10,10",)),
        ("DLMGroups", "hall;;63\nnorth;hall;32,32,32", ("hall;;63,63,63", "north;hall;32,32,32")),
        ("SEMPTarget", "20 kWh / 7:30", "20 07:30"),
    ],
)
def test_accepted_spellings(key: str, raw: object, value: Value) -> None:
    assert parse(entry_of(key), raw) == value


@pytest.mark.parametrize(
    ("key", "raw", "sentence"),
    [
        ("FreeCharging", "perhaps", "Enter on or off."),
        ("FreeChargingMode", "0", "Choose one of: no_ocpp"),
        ("FreeChargingMode", 7, "Choose one of: no_ocpp"),
        ("OperatorCurrentLimit", 5, "At least 6 A, or 0 (pause)."),
        ("OperatorCurrentLimit", "sixteen", "Enter a whole number."),
        ("OperatorCurrentLimit", True, "Enter a whole number."),
        ("OperatorCurrentLimit", 16.5, "Enter a whole number."),
        ("OperatorCurrentLimit", None, "Enter a whole number."),
        ("DLMMinimumCurrentLimit", 33, "At most 32 A."),
        ("DLMEVSESubDistributionLimit", "16,16", "Enter amperes for L1, L2 and L3"),
        ("DLMEVSESubDistributionLimit", [16, 16, 10_000], "At most 9999 A."),
        ("MeterValuesSampledData", "Voltage,Colour", "This station cannot measure Colour."),
        ("StaticIP", "192.168.1.300", "Enter an address such as"),
        ("WebSocketsBackendURL", "http://x.example", "Begin with ws:// / wss://"),
        ("WebSocketsBackendURL", "wss://", "The address has no valid host"),
        ("WebSocketsBackendURL", "wss://user:pw@x.example", "Leave user and password out"),
        ("WebSocketsBackendURL", "wss://x.example:99999/", "The address has no valid host"),
        ("SOAPBackendURL", "wss://x.example", "Begin with http:// / https://"),
        ("WebSocketsProxy", "proxy", "Enter host and port"),
        ("EmailRecipientEmailAddress", "a@b.example, c@d.example", "Enter one mail address"),
        ("SIMPin", "12", "A PIN has four to eight digits."),
        ("ChargePointID", "", "At least 1 characters."),
        ("ChargePointID", "two words", "Use letters, digits and"),
        ("FreeChargingRfidTag", "x" * 21, "At most 20 characters."),
        ("StationName", "a\nb", "Use one line of printable characters."),
        ("DLMMaxCurrentSchedule", "07:00;07:00;10", "A window must have a length"),
        ("DLMMaxCurrentSchedule", "25:00;07:00;10", "Enter a time such as 07:30."),
        ("MeterSerialPort", "/dev/../etc/passwd", "Enter a device such as"),
        ("MeterSerialPort", "rtu://192.168.1.9", "Enter host and port"),
        ("MeterSerialPort", "ftp://192.168.1.9:502", "Enter a device such as"),
    ],
)
def test_refused_values(key: str, raw: object, sentence: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse(entry_of(key), raw)
    assert str(refused.value.message).startswith(sentence)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("FreeCharging", True, "On"),
        ("LocalPreAuthorize", True, "true"),
        ("FreeChargingMode", "no_ocpp", "No OCPP"),
        ("DLMEVSESubDistributionLimit", Amps(16, 16, 20), "16,16,20"),
        ("MeterValuesAlignedData", ("Voltage", "Power.Offered"), "Voltage,Power.Offered"),
        ("MTU", None, ""),
    ],
)
def test_what_a_backend_reads(key: str, value: Value, text: str) -> None:
    """Standard booleans are true and false, the maker's On and Off; choices are labels."""
    assert to_ocpp(entry_of(key), value) == text


class TestAuthorizationKey:
    """People type text, a backend sends hex digits, both mean bytes (decision D32)."""

    key = entry_of("AuthorizationKey")

    def test_text_and_hex_mean_the_same(self) -> None:
        assert parse(self.key, "sixteen letters!") == b"sixteen letters!"
        assert parse(self.key, b"sixteen letters!".hex(), Form.OCPP) == b"sixteen letters!"

    def test_bytes_need_not_be_text(self) -> None:
        assert parse(self.key, "FF" * 20, Form.OCPP) == b"\xff" * 20

    @pytest.mark.parametrize("raw", ["", "00" * 15, "00" * 21, "0" * 33, "not hex digits at all"])
    def test_a_backend_must_send_16_to_20_bytes(self, raw: str) -> None:
        with pytest.raises(Malformed):
            parse(self.key, raw, Form.OCPP)

    @pytest.mark.parametrize("raw", ["short", "x" * 65])
    def test_people_must_type_16_characters_or_more(self, raw: str) -> None:
        with pytest.raises(Malformed):
            parse(self.key, raw)

    def test_people_can_remove_it(self) -> None:
        assert parse(self.key, "") == b""

    def test_it_has_no_readable_form(self) -> None:
        with pytest.raises(TypeError):
            to_ocpp(self.key, b"secret")
        with pytest.raises(TypeError):
            to_json(b"secret")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("VOLTAGE", ("Voltage",)),
        ("voltage.l2", ("Voltage.L2-N",)),
        ("Voltage.L3-N,Voltage.l3-n", ("Voltage.L3-N",)),
        ("current.import.L1", ("Current.Import.L1",)),
    ],
)
def test_quantities_are_read_in_any_letter_case(text: str, read: tuple[str, ...]) -> None:
    assert parse(entry_of("StopTxnSampledData"), text) == read


@pytest.mark.parametrize(
    "text",
    ["SoC", "Frequency", "Power.Factor", "Current.Import.L1-N", "Current.Import.N",
     "Power.Active.Import.L1", "Voltage.", ".L1", "L1", "Voltage.L4", "Current.Import.L1.L1"],
)  # fmt: skip
def test_quantities_that_are_never_sent_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse(entry_of("StopTxnSampledData"), f"Voltage,{text}")
