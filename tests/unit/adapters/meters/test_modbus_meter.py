"""The driver of Modbus meters on virtual time, with a bus that answers at once or fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from borne.adapters.meters.billing_meter import BillingMeter
from borne.adapters.meters.modbus_meter import ASK_AGAIN, ModbusMeter
from borne.application.ports.hardware import MeterSilent
from borne.domain.meters.measurement import Measurement
from borne.domain.station.reading import MeterReading
from borne.protocols.meter_profiles import Profile, load_profile
from borne.protocols.modbus.endpoint import TcpEndpoint
from borne.protocols.modbus.failures import ExceptionAnswer, NoAnswer, Unreachable
from tests.support.fake_buses import HOUSE, FakeBuses, meter
from tests.support.virtual_time import VirtualTimeLoop

PROFILE = load_profile("siemens_7km2200")
ENDPOINT = TcpEndpoint("192.0.2.7")
VOLTAGES, ENERGY = 1, 801
DIGITAL_INPUT = 209
"""The first addresses of two blocks of the profile."""
SERIAL, VOLTAGES_OF_ABB = 0x8900, 0x5B00
Answer = Measurement | MeterSilent


class Meter:
    """A strict meter that fails on blocks by their first address."""

    def __init__(self, slug: str) -> None:
        self.bank = meter(slug)
        self.failures: dict[int, Exception] = {}

    def __call__(self, function: int, address: int, count: int) -> Sequence[int]:
        if address in self.failures:
            raise self.failures[address]
        return self.bank.read(function, address, count)


class Bench:
    """A started meter, and the answers it has given since."""

    def __init__(self, profile: Profile = PROFILE, **options: Any) -> None:
        self.device = Meter(profile.slug)
        self.buses = FakeBuses({ENDPOINT: {1: self.device}})
        self.bus = self.buses.bus(ENDPOINT)
        self.meter = ModbusMeter(profile, 1, ENDPOINT, self.buses, **options)
        self.answers: list[Answer] = []
        self.meter.subscribe(self.answers.append)

    def serial_number(self, number: int) -> None:
        """Let an ABB meter give a serial number."""
        for place, word in enumerate(number.to_bytes(4)[i : i + 2] for i in (0, 2)):
            self.device.bank.words[3, SERIAL + place] = int.from_bytes(word)

    def asked(self, address: int) -> int:
        """How often the block that begins there was read."""
        return self.bus.asked[1, 3, address]


def on_bench(scenario: Callable[[Bench], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        bench = Bench(**options)
        try:
            await scenario(bench)
        finally:
            await bench.meter.stop()
        assert bench.buses.leases == 0

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())


def same(one: Measurement, other: Measurement) -> bool:
    """Apart from the time, and from a digital input that the other does not have."""
    plain = replace(one, at_s=0.0, digital_input=other.digital_input)
    return plain == replace(other, at_s=0.0)


def test_every_second_one_poll_is_reported() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.meter.start()
        await asyncio.sleep(4.5)
        times = [answer.at_s for answer in bench.answers if isinstance(answer, Measurement)]
        assert [at - times[0] for at in times] == [0.0, 1.0, 2.0, 3.0, 4.0]
        assert all(isinstance(a, Measurement) and same(a, HOUSE) for a in bench.answers)

    on_bench(scenario)


@pytest.mark.parametrize(("every", "reads"), [(10, 3), (1, 21)])
def test_energy_is_read_at_every_tenth_poll_and_at_each_for_billing(every: int, reads: int) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.meter.start()
        await asyncio.sleep(20.5)
        assert len(bench.answers) == bench.asked(VOLTAGES) == 21
        assert bench.asked(ENERGY) == reads
        assert all(isinstance(a, Measurement) and a.import_wh == 123_000 for a in bench.answers)

    on_bench(scenario, energy_every=every)


def test_an_internal_error_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(bench: Bench) -> None:
        bench.device.failures[VOLTAGES] = RuntimeError("a bug")
        await bench.meter.start()
        await asyncio.sleep(5.5)
        assert len(bench.answers) == 6
        assert len(caplog.records) == 1
        bench.device.failures.clear()
        await asyncio.sleep(1)
        bench.device.failures[VOLTAGES] = RuntimeError("a bug")
        await asyncio.sleep(5)
        assert len(caplog.records) == 2

    on_bench(scenario)


def test_a_read_is_of_a_poll_that_began_after_it() -> None:
    async def scenario(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        bench.bus.delay_s = 0.1
        await bench.meter.start()
        await bench.bus.reading.wait()
        began_s = loop.time()
        bench.device.bank = meter(PROFILE.slug, replace(HOUSE, import_wh=123_999))
        reads = await asyncio.gather(bench.meter.read(), bench.meter.read())
        assert reads[0] is reads[1]
        assert reads[0].at_s > began_s
        assert reads[0].import_wh == 123_999
        blocks = len(PROFILE.blocks_of(frozenset(PROFILE.registers)))
        assert bench.bus.asked.total() <= 2 * blocks, "two reads share a poll"

    on_bench(scenario)


@pytest.mark.parametrize("level", [False, True])
def test_the_digital_input_is_read_with_each_poll(level: bool) -> None:
    async def scenario(bench: Bench) -> None:
        bench.device.bank = meter(PROFILE.slug, replace(HOUSE, digital_input=level))
        await bench.meter.start()
        await asyncio.sleep(2.5)
        assert [isinstance(a, Measurement) and a.digital_input for a in bench.answers] == [
            level
        ] * 3

    on_bench(scenario)


def test_a_variant_without_a_digital_input_is_a_good_meter() -> None:
    async def scenario(bench: Bench) -> None:
        bench.device.failures[DIGITAL_INPUT] = ExceptionAnswer(3, 2)
        await bench.meter.start()
        measured = await bench.meter.read()
        assert (same(measured, HOUSE), measured.digital_input) == (True, None)

    on_bench(scenario)


def test_a_failed_block_makes_the_whole_poll_a_miss() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.meter.start()
        await asyncio.sleep(2.5)
        bench.device.failures[VOLTAGES] = NoAnswer("Unit 1 does not answer.")
        await asyncio.sleep(2)
        del bench.device.failures[VOLTAGES]
        await asyncio.sleep(1)
        kinds = [isinstance(answer, Measurement) for answer in bench.answers]
        assert kinds == [True, True, True, False, False, True]
        assert bench.asked(ENERGY) == 2, "energy is read again after a miss"

    on_bench(scenario)


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (Unreachable("refused"), "192.0.2.7:502 cannot be reached"),
        (NoAnswer("late"), "Unit 1 at 192.0.2.7:502 does not answer"),
        (ExceptionAnswer(1, 2), "does not have the registers of this type"),
        (ExceptionAnswer(1, 11), "The gateway 192.0.2.7:502 does not find unit 1"),
        (ExceptionAnswer(1, 6), "refuses to answer at present"),
        (RuntimeError("a bug"), "The driver of the meter has failed"),
    ],
    ids=["unreachable", "no answer", "no such register", "no such unit", "busy", "bug"],
)
def test_a_read_says_why_it_failed(failure: Exception, sentence: str) -> None:
    async def scenario(bench: Bench) -> None:
        bench.device.failures[VOLTAGES] = failure
        await bench.meter.start()
        with pytest.raises(MeterSilent, match=sentence):
            await bench.meter.read()
        bench.device.failures.clear()
        assert same(await bench.meter.read(), HOUSE)

    on_bench(scenario)


def test_a_poll_ends_after_three_seconds() -> None:
    async def scenario(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        bench.bus.delay_s = 2.0
        began_s = loop.time()
        await bench.meter.start()
        with pytest.raises(MeterSilent, match="took more than"):
            await bench.meter.read()
        assert loop.time() - began_s == 3.0

    on_bench(scenario)


def test_a_port_in_use_with_other_settings_is_reported_until_it_is_free() -> None:
    async def scenario(bench: Bench) -> None:
        bench.buses.conflict = "/dev/ttyUSB0 is in use with 19200 baud."
        await bench.meter.start()
        with pytest.raises(MeterSilent, match="in use with 19200 baud"):
            await bench.meter.read()
        bench.buses.conflict = ""
        assert same(await bench.meter.read(), HOUSE)

    on_bench(scenario)


def test_an_exchanged_meter_is_noticed_after_a_miss() -> None:
    """Serial number and order of words are asked again; the old energy is not carried over."""

    async def scenario(bench: Bench) -> None:
        bench.serial_number(4711)
        await bench.meter.start()
        before = await bench.meter.read()
        bench.device.failures[SERIAL] = bench.device.failures[VOLTAGES_OF_ABB] = Unreachable("off")
        await asyncio.sleep(2)
        bench.device.failures.clear()
        bench.device.bank = meter("abb_b23", replace(HOUSE, import_wh=5_000))
        bench.serial_number(4712)
        await asyncio.sleep(1)
        after = bench.answers[-1]
        assert isinstance(after, Measurement)
        assert (before.serial_number, after.serial_number) == ("4711", "4712")
        assert (before.import_wh, after.import_wh) == (123_000, 5_000)
        assert bench.meter.serial_number == "4712"

    on_bench(scenario, profile=load_profile("abb_b23"))


@pytest.mark.parametrize(("known", "polls"), [(True, 2), (False, ASK_AGAIN + 1)])
def test_a_lost_serial_number_is_asked_for_again(known: bool, polls: int) -> None:
    async def scenario(bench: Bench) -> None:
        bench.serial_number(4711)
        if not known:
            bench.device.failures[SERIAL] = NoAnswer("lost")
        await bench.meter.start()
        await asyncio.sleep(1.5)
        bench.device.failures = {VOLTAGES_OF_ABB: NoAnswer("lost"), SERIAL: NoAnswer("lost")}
        await asyncio.sleep(1)
        del bench.device.failures[VOLTAGES_OF_ABB]
        await asyncio.sleep(1)
        assert bench.meter.serial_number == ""
        bench.device.failures.clear()
        await asyncio.sleep(polls)
        assert bench.meter.serial_number == "4711"
        asked = bench.asked(SERIAL)
        await asyncio.sleep(2 * ASK_AGAIN)
        assert bench.asked(SERIAL) == asked

    on_bench(scenario, profile=load_profile("abb_b23"))


def test_a_meter_that_ignores_its_serial_number_is_read() -> None:
    """The bus does not take the unit for silent."""

    async def scenario(bench: Bench) -> None:
        bench.device.failures[SERIAL] = NoAnswer("late")
        await bench.meter.start()
        measured = await bench.meter.read()
        assert (measured.serial_number, measured.import_wh) == ("", 123_000)
        ignored = [retry.may_be_ignored for retry in bench.bus.retries]
        assert ignored == [*[False] * (len(ignored) - 1), True]
        bench.bus.retries.clear()
        await asyncio.sleep(1)
        assert not any(retry.may_be_ignored for retry in bench.bus.retries)

    on_bench(scenario, profile=load_profile("abb_b23"))


def test_a_stopped_meter_ends_its_reads_and_answers_none() -> None:
    async def scenario(bench: Bench) -> None:
        bench.bus.delay_s = 0.5
        await bench.meter.start()
        reads = [asyncio.ensure_future(bench.meter.read()) for _ in range(2)]
        await bench.bus.reading.wait()
        reads[1].cancel()
        await bench.meter.stop()
        with pytest.raises(MeterSilent):
            await reads[0]
        with pytest.raises(MeterSilent):
            await bench.meter.read()
        count = len(bench.answers)
        await asyncio.sleep(5)
        assert len(bench.answers) == count

    on_bench(scenario)


def test_a_billing_meter_gives_readings_of_each_poll() -> None:
    async def scenario(bench: Bench) -> None:
        billing = BillingMeter(bench.meter)
        news: list[MeterReading | MeterSilent] = []
        billing.subscribe(news.append)
        await billing.start()
        reading = await billing.read()
        assert (reading.register_wh, reading.power_w, billing.billing) == (123_000, 2070.0, True)
        assert tuple(reading.current_a) == (10.0, 2.0, 1.0)
        bench.device.failures[VOLTAGES] = NoAnswer("Unit 1 does not answer.")
        await asyncio.sleep(1.5)
        assert [isinstance(each, MeterReading) for each in news] == [True, False]
        await billing.stop()

    on_bench(scenario, energy_every=1)
