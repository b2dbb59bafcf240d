"""Finds a point within bounds on variables and on rows of linear sums, or proves that none exists.

The general simplex for bounds (Dutertre and de Moura 2006): no objective, Bland's rule, which
guarantees termination. The tableau is kept when bounds change, which makes a sequence of similar
problems cheap. When there is no point, the conflict is a row that proves it.

Made for the few constraints of current imbalance; dense, in pure Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TOLERANCE = 1e-7
"""Amps by which a bound may be missed."""

NEGLIGIBLE = 1e-11
"""A coefficient this small is a rounding error."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A proof that no point exists: `terms` are bounds (variable, factor) whose weighted sum is
    positive, while a point needs sum(factor x bound) <= 0. Positive factors stand for lower bounds,
    negative ones for upper bounds."""

    terms: tuple[tuple[int, float], ...]


class BoundedRows:
    """Variables 0..n-1, followed by one variable for each row (the row's sum)."""

    def __init__(self, variables: int, rows: Sequence[Mapping[int, float]]) -> None:
        count = variables + len(rows)
        self.variables = variables
        self.lower = [0.0] * count
        self.upper = [0.0] * count
        self.value = [0.0] * count
        self._nonbasic = list(range(variables))
        self._basic = list(range(variables, count))
        self._tableau = [[row.get(j, 0.0) for j in range(variables)] for row in rows]

    def set_bounds(self, variable: int, lower: float, upper: float) -> None:
        """Replace the bounds of a variable or row."""
        self.lower[variable] = lower
        self.upper[variable] = upper

    def solve(self) -> Conflict | None:
        """Find values within all bounds (stored in `value`), or return a conflict."""
        self._settle()
        while True:
            row = self._violated_row()
            if row is None:
                return None
            basic = self._basic[row]
            too_low = self.value[basic] < self.lower[basic]
            column = self._entering(row, too_low=too_low)
            if column is None:
                return self._conflict(row, too_low=too_low)
            self._pivot(row, column, self.lower[basic] if too_low else self.upper[basic])

    def _settle(self) -> None:
        """Move every nonbasic variable within its bounds and recompute the basic ones."""
        values = self.value
        for variable in self._nonbasic:
            values[variable] = min(
                max(values[variable], self.lower[variable]), self.upper[variable]
            )
        point = [values[variable] for variable in self._nonbasic]
        for variable, line in zip(self._basic, self._tableau, strict=True):
            values[variable] = sum(
                factor * amps for factor, amps in zip(line, point, strict=True) if factor
            )

    def _violated_row(self) -> int | None:
        """Return the row of the lowest-numbered variable out of bounds (Bland)."""
        found: int | None = None
        lowest = len(self.value)
        for row, variable in enumerate(self._basic):
            value = self.value[variable]
            if variable < lowest and (
                value < self.lower[variable] - TOLERANCE or value > self.upper[variable] + TOLERANCE
            ):
                found, lowest = row, variable
        return found

    def _entering(self, row: int, *, too_low: bool) -> int | None:
        """Return the lowest-numbered variable that can move the row's sum in the right direction
        (Bland)."""
        found: int | None = None
        lowest = len(self.value)
        for column, factor in enumerate(self._tableau[row]):
            variable = self._nonbasic[column]
            if abs(factor) < NEGLIGIBLE or variable >= lowest:
                continue
            up = (factor > 0) == too_low
            room = (
                self.value[variable] < self.upper[variable]
                if up
                else self.value[variable] > self.lower[variable]
            )
            if room:
                found, lowest = column, variable
        return found

    def _conflict(self, row: int, *, too_low: bool) -> Conflict:
        sign = -1.0 if too_low else 1.0
        terms = [(self._basic[row], -sign)]
        terms += [
            (self._nonbasic[column], sign * factor)
            for column, factor in enumerate(self._tableau[row])
            if abs(factor) >= NEGLIGIBLE
        ]
        return Conflict(tuple(terms))

    def _pivot(self, row: int, column: int, target: float) -> None:
        """Exchange the row's variable with the column's and set the former to `target`."""
        line = self._tableau[row]
        leaving, entering = self._basic[row], self._nonbasic[column]
        step = (target - self.value[leaving]) / line[column]
        self.value[leaving] = target
        self.value[entering] += step
        inverse = 1.0 / line[column]
        new = [-factor * inverse for factor in line]
        new[column] = inverse
        for other, old in enumerate(self._tableau):
            if other == row:
                continue
            factor = old[column]
            if abs(factor) < NEGLIGIBLE:
                old[column] = 0.0
                continue
            self.value[self._basic[other]] += factor * step
            old[column] = 0.0
            self._tableau[other] = [a + factor * b for a, b in zip(old, new, strict=True)]
        self._tableau[row] = new
        self._basic[row], self._nonbasic[column] = entering, leaving
