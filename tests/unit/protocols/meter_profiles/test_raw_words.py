"""Words as they stand on the wire, written out by hand, and what they mean."""

from __future__ import annotations

from typing import Any

import pytest

from borne.protocols.meter_profiles import load_profile

# Slug, function, words by address, what the measurement shows.
VECTORS: list[tuple[str, int, dict[int, list[int]], dict[str, Any]]] = [
    (
        "siemens_7km2200",
        3,
        {
            1: [0x4366, 0x0000],  # 230.0
            13: [0x40A0, 0x0000],  # 5.0
            25: [0xC48F, 0xC000],  # -1150.0
            801: [0x4132, 0xD687, 0x0000, 0x0000],  # 1234567.0, tariff 1
            805: [0x3FF8, 0x0000, 0x0000, 0x0000],  # 1.5, tariff 2
            809: [0x0000, 0x0000, 0x0000, 0x0000],
            813: [0x7FF8, 0x0000, 0x0000, 0x0000],  # no number
        },
        {"voltage_v": 230.0, "current_a": -5.0, "power_w": -1150.0}
        | {"import_wh": 1234568, "export_wh": None},
    ),
    (
        "tq_em300",
        3,
        {
            0: [0x0000, 0x0000],
            2: [0x0000, 0x59D8],  # 23000 of 0.1 W out
            26: [0x0000, 0xC350],  # 50000 mHz
            40: [0x0000, 0x0000],
            42: [0x0000, 0x59D8],
            60: [0x0000, 0x2710],  # 10000 mA
            62: [0x0003, 0x8270],  # 230000 mV
            512: [0x0000, 0x0000, 0x0001, 0x0001],  # 65537 of 0.1 Wh
            516: [0x0000, 0x0000, 0x0000, 0x0009],
        },
        {"voltage_v": 230.0, "current_a": -10.0, "power_w": -2300.0, "power_total_w": -2300.0}
        | {"import_wh": 6553, "export_wh": 0, "frequency_hz": 50.0},
    ),
    (
        "phoenix_eem_mb371",
        3,
        {
            0x8006: [0x0000, 0x4366],  # low word first: 230.0
            0x800C: [0x0000, 0x4248],  # 50.0
            0x800E: [0x0000, 0x4120],  # 10.0
            0x801E: [0xC000, 0xC50F],  # -2300.0
            0x8100: [0x0000, 0x4480],  # 1024.0
        },
        {"voltage_v": 230.0, "current_a": -10.0, "power_w": -2300.0, "import_wh": 1024}
        | {"frequency_hz": 50.0},
    ),
    (
        "janitza_umg",
        3,
        {19000: [0x4366, 0x8000], 19012: [0x4120, 0x0000], 19020: [0x4480, 0x0000]}
        | {19068: [0x4B80, 0x0000]},
        {"voltage_v": 230.5, "current_a": 10.0, "power_w": 1024.0, "import_wh": 16_777_216},
    ),
    (
        "cg_em340",
        4,
        {
            0: [0x08FC, 0x0000],  # 2300 of 0.1 V, low word first
            12: [0x2710, 0x0000],  # 10000 mA
            18: [0xA628, 0xFFFF],  # -23000 of 0.1 W
            40: [0xFFFF, 0x7FFF],  # 7FFFFFFF: no value
            51: [0x01F4],  # 500 of 0.1 Hz
            52: [0x04D2, 0x0000],  # 1234 of 0.1 kWh
            78: [0xFFFF, 0xFFFF],  # -1: no energy
        },
        {"voltage_v": 230.0, "current_a": -10.0, "power_w": -2300.0, "power_total_w": None}
        | {"frequency_hz": 50.0, "import_wh": 123_400, "export_wh": None},
    ),
    (
        "eastron_sdm630",
        4,
        {0: [0x4366, 0x0000], 6: [0x4120, 0x0000], 12: [0xC50F, 0xC000]}
        | {70: [0x4248, 0x0000], 72: [0x3FC0, 0x0000], 74: [0x0000, 0x0000]},  # 1.5 kWh
        {"voltage_v": 230.0, "current_a": -10.0, "power_w": -2300.0, "import_wh": 1500}
        | {"export_wh": 0, "frequency_hz": 50.0},
    ),
    (
        "abb_b23",
        3,
        {
            0x5B00: [0x0000, 0x08FC],
            0x5B0C: [0x0000, 0x03E8],  # 1000 of 0.01 A
            0x5B14: [0x7FFF, 0xFFFF],  # no value
            0x5B16: [0xFFFC, 0x7D90],  # -230000 of 0.01 W
            0x5B2C: [0x1388],
            0x5000: [0x0000, 0x0000, 0x0000, 0x04D2],  # 1234 of 10 Wh
            0x5004: [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF],  # bronze: no export
        },
        {"voltage_v": 230.0, "current_a": -10.0, "power_w": -2300.0, "power_total_w": None}
        | {"frequency_hz": 50.0, "import_wh": 12_340, "export_wh": None},
    ),
    (
        "schneider_iem3x55",
        3,
        {2999: [0x4120, 0x0000], 3027: [0x4366, 0x0000], 3053: [0x4020, 0x0000]}  # 2.5 kW
        | {3203: [0x0000, 0x0000, 0x0012, 0xD687], 3207: [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF]},
        {"voltage_v": 230.0, "current_a": 10.0, "power_w": 2500.0, "import_wh": 1_234_567}
        | {"export_wh": None},
    ),
    (
        "inepro_pro380",
        3,
        {0x5002: [0x4366, 0x0000], 0x500C: [0x4120, 0x0000], 0x5014: [0xBFC0, 0x0000]}  # -1.5 kW
        | {0x5012: [0x7FC0, 0x0000], 0x600C: [0x42F6, 0xE979]},  # no number; 123.456 kWh
        {"voltage_v": 230.0, "current_a": -10.0, "power_w": -1500.0, "power_total_w": None}
        | {"import_wh": 123_456},
    ),
    (
        "dzg_dvh4013",
        3,
        {0: [0x0000, 0x0000], 2: [0x0000, 0x59D8], 4: [0x0000, 0x59D8], 10: [0x0000, 0x2710]},
        # No power of the phase: the direction of the current is unknown, import is assumed.
        {"voltage_v": 230.0, "current_a": 10.0, "power_w": None, "power_total_w": -2300.0},
    ),
    (
        "lovato_dmg",
        4,
        {1: [0x0000, 0x59D8], 7: [0x0001, 0x86A0], 19: [0xFFFC, 0x7D90]}
        | {6943: [0x0000, 0x0001, 0x0000, 0x0000]},
        {"voltage_v": 230.0, "current_a": -10.0, "power_w": -2300.0, "import_wh": 42_949_672_960},
    ),
    (
        "iskra_wm3",
        4,
        {
            107: [0xFF00, 0x08FD],  # 2301 * 10^-1
            126: [0xFE00, 0x01F4],  # 500 * 10^-2
            142: [0x00FF, 0xFB82],  # -1150 * 10^0
            140: [0x01FF, 0xFF8D],  # -115 * 10^1
            105: [0xFD00, 0xC350],  # 50000 * 10^-3
            414: [0x0002],
            418: [0x0000, 0x007B],  # 123 * 10^2
            415: [0xFFFF],
            420: [0x0000, 0x0081],  # 129 * 10^-1
        },
        {"voltage_v": 230.1, "current_a": -5.0, "power_w": -1150.0, "power_total_w": -1150.0}
        | {"frequency_hz": 50.0, "import_wh": 12_300, "export_wh": 12},
    ),
    (
        "socomec_countis",
        3,
        {50520: [0x0000, 0x59D8], 50528: [0x0000, 0x2710], 50544: [0xFFFF, 0xFF1A]}  # -230 of 10 W
        | {50946: [0x0000, 0x0010]},
        {"voltage_v": 230.0, "current_a": -10.0, "power_w": -2300.0, "import_wh": 160},
    ),
    (
        "socomec_diris_b30",
        3,
        {18444: [0x0000, 0x59D8], 19843: [0x0000, 0x0010]},
        {"voltage_v": 230.0, "import_wh": 16_000},
    ),
    (
        "saia_ale3",
        3,
        {35: [0x00E6], 36: [0x0065], 37: [0xFF1A], 27: [0x0001, 0x0000], 31: [0x0000, 0x0001]},
        {"voltage_v": 230.0, "current_a": -10.1, "power_w": -2300.0}
        | {"import_wh": 655_360, "export_wh": 10},
    ),
    (
        "sma_hm2_modbus",
        4,
        {30865: [0x0000, 0x0000], 30867: [0x0000, 0x08FC]},
        {"voltage_v": None, "current_a": None, "power_w": None, "power_total_w": -2300.0},
    ),
    (
        "algodue_uem",
        4,
        {4128: [0x4120, 0x0000], 4130: [0x4120, 0x0000], 4132: [0xC1F0, 0x0000]},
        {"power_w": 10.0, "power_total_w": -10.0},  # 10 + 10 - 30
    ),
    (
        "algodue_uem",
        4,
        {4128: [0x4120, 0x0000], 4130: [0x4120, 0x0000], 4132: [0x7FC0, 0x0000]},
        {"power_w": 10.0, "power_total_w": None},  # a phase is missing: no sum
    ),
    (
        "siemens_7kt1665",
        4,
        {1: [0x0000, 0x59D8], 7: [0x0001, 0x86A0], 57: [0xFFFC, 0x7D90], 6687: [0x0000, 0x000A]},
        {"voltage_v": 230.0, "current_a": 10.0, "power_w": None, "power_total_w": -2300.0}
        | {"import_wh": 10, "export_wh": None},
    ),
]


@pytest.mark.parametrize(
    ("slug", "function", "words", "shown"),
    VECTORS,
    ids=[f"{v[0]}-{n}" for n, v in enumerate(VECTORS)],
)
def test_raw_words(
    slug: str, function: int, words: dict[int, list[int]], shown: dict[str, Any]
) -> None:
    """Values of phases are those of L1."""
    raw = {
        (function, address + place): word
        for address, values in words.items()
        for place, word in enumerate(values)
    }
    measurement = load_profile(slug).measurement(raw, 1.0)
    for name, right in shown.items():
        found = getattr(measurement, name)
        found = found[0] if isinstance(found, tuple) else found
        assert found == (None if right is None else pytest.approx(right)), name


def test_a_function_is_part_of_the_address() -> None:
    profile = load_profile("sma_hm2_modbus")
    words = {(3, 30865): 0, (3, 30866): 9, (3, 30867): 0, (3, 30868): 0}
    assert profile.measurement(words, 1.0).power_total_w is None
    counters = {(3, 30581): 1, (3, 30582): 0, (3, 30583): 0xFFFF, (3, 30584): 0xFFFF}
    found = profile.measurement(counters, 1.0)
    assert (found.import_wh, found.export_wh) == (65_536, None)


@pytest.mark.parametrize("exponent", [0x7FFF, 0x8000, 13, 0xFFF0])
def test_an_exponent_beyond_reason_is_no_value(exponent: int) -> None:
    words = {(4, 414): exponent, (4, 418): 0, (4, 419): 5}
    assert load_profile("iskra_wm3").measurement(words, 1.0).import_wh is None


def test_a_counter_beyond_all_counters_is_no_value() -> None:
    words = {(3, 801 + place): word for place, word in enumerate([0x7FE0, 0, 0, 0])}
    words |= {(3, 805 + place): 0 for place in range(4)}
    assert load_profile("siemens_7km2200").measurement(words, 1.0).import_wh is None
