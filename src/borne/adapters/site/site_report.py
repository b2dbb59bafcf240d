"""The figures of a run as JSON, its curves and causes as CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from borne.adapters.site.recorder import Recorder
from borne.adapters.site.site_picture import picture
from borne.adapters.site.site_run import SiteResult
from borne.domain.load_management.topology import ROOT
from borne.foundation.json_value import JsonObject, JsonValue

WORST_SHARE = 0.1


def figures(result: SiteResult) -> JsonObject:
    """The object of `borne site FILE --until T`."""
    shares = [car.served for car in result.cars]
    accounts = result.accounts
    over = {
        "site" if name == ROOT else f"group/{name}": [round(one, 3) for one in amps]
        for name, amps in accounts.over_limit_as()
    }
    shown: dict[str, JsonValue] = {
        "simulated_s": round(result.simulated_s, 3),
        "energy_delivered_wh": round(sum(car.delivered_wh for car in result.cars), 1),
        "energy_wanted_wh": round(sum(car.visit.energy_wh for car in result.cars), 1),
        "cars": [
            {
                "id": car.visit.id,
                "delivered_wh": round(car.delivered_wh, 1),
                "waited_s": round(car.waited_s, 1),
            }
            for car in result.cars
        ],
        "jain": _rounded(jain(shares)),
        "p10_served": _rounded(worst_served(shares)),
        "over_limit_as": over,
        "over_bound_as": [round(one, 3) for one in accounts.over_bound_as],
        "bound_s": round(accounts.reach_s, 3),
        "first_over_bound": _first_over(result),
        "starts": result.starts,
        "pilot_changes": result.pilot_changes,
        "cycles": result.cycles,
        "messages": result.messages,
        "wall_s": round(result.wall_s, 3),
    }
    if result.site.settings.imbalance_a > 0:
        shown["over_imbalance_as"] = round(result.imbalance_as, 3)
    return shown


def json_text(result: SiteResult) -> str:
    """The figures as one line."""
    return json.dumps(figures(result), ensure_ascii=False)


def jain(shares: Sequence[float]) -> float | None:
    """Jain's index of the served shares: 1 if all cars got the same share of what they wanted."""
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares > 0 else None


def worst_served(shares: Sequence[float]) -> float | None:
    """The share that all cars but the worst tenth reach."""
    if not shares:
        return None
    return sorted(shares)[int(len(shares) * WORST_SHARE)]


def write_files(folder: Path, result: SiteResult, recorder: Recorder) -> None:
    """Write curves.csv, causes.csv, figures.json and site.svg; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(
        folder / "curves.csv",
        ("time", "id", "phase", "offered_a", "measured_a", "limit_a"),
        (
            (_clock(at_s), name, phase, offered_a, measured_a, limit_a)
            for at_s, name, phase, offered_a, measured_a, limit_a in recorder.points
        ),
    )
    _write_csv(
        folder / "causes.csv",
        ("time", "id", "amps", "cause", "group", "phase"),
        (
            (
                _clock(one.at_s),
                one.participant,
                f"{one.amps:g}",
                one.reason.cause.value,
                None if one.reason.link is None else one.reason.link.group,
                None if one.reason.link is None else int(one.reason.link.phase),
            )
            for one in recorder.causes
        ),
    )
    (folder / "figures.json").write_text(json_text(result) + "\n", encoding="utf-8")
    (folder / "site.svg").write_text(picture(result, recorder), encoding="utf-8")


def _write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def _first_over(result: SiteResult) -> JsonObject | None:
    if result.accounts.first_over is None:
        return None
    at_s, number = result.accounts.first_over
    group, phase = result.accounts.topology.links[number]
    return {"time": _clock(at_s), "group": group, "phase": int(phase)}


def _clock(at_s: float) -> str:
    """Time of the run as HH:MM:SS.sss."""
    milliseconds = round(at_s * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest / 1000:06.3f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
