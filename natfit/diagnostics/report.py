"""What a check returns: a number, its error, a verdict in plain words, the details as a table, and a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 88
"""Characters on a line of a summary."""


@dataclass(frozen=True, eq=False)
class Report:
    """The outcome of checking one statement at one point.

    Parameters
    ----------
    name : str
        What was checked, in a word or two.
    statement : str
        The statement as a formula.
    where : str
        Family, point and parametrization.
    value, error : float
        The number that decides, and how far it can be trusted.
    value_text : str
        What the number is, with its unit.
    verdict : str
        One line in plain words.
    details : DataFrame
        Every number that went into the verdict.
    passed : bool or None
        Whether the statement was confirmed; None where it is void.
    reason : str
        Why the statement is void here; empty where it applies.
    draw : callable, optional
        ``draw(ax, report)`` puts the figure on matplotlib axes.
    """

    name: str
    statement: str
    where: str
    value: float
    error: float
    value_text: str
    verdict: str
    details: pd.DataFrame
    passed: bool | None
    reason: str = ""
    draw: Callable[[Any, Report], None] | None = None

    @classmethod
    def void(cls, name: str, statement: str, where: str, value_text: str, reason: str) -> Report:
        """Return the report of a statement that says nothing here, with the reason."""
        import pandas as pd

        nothing = float("nan")
        return cls(name, statement, where, nothing, nothing, value_text, reason, pd.DataFrame(), None, reason)

    @property
    def applicable(self) -> bool:
        """False where the statement is void at this point; ``reason`` says why."""
        return not self.reason

    def summary(self) -> str:
        """Statement, place, number, verdict and details as text."""
        lines = [f"{self.name}: {self.statement}", f"at {self.where}"]
        if self.applicable:
            lines.append(f"{self.value_text}: {self.value:.6g} (error {self.error:.2g})")
        lines.append(fill(f"{outcome(self)}: {self.verdict}", WIDTH))
        if len(self.details):
            lines += ["", self.details.to_string(index=False, float_format=lambda x: f"{x:.6g}")]
        return "\n".join(lines)

    def plot(self, ax: Any = None) -> Any:
        """Draw the figure and return its matplotlib axes; new ones where ``ax`` is None.

        Where the statement does not apply, the axes carry the reason in words.

        Raises
        ------
        ImportError
            If matplotlib is missing; the message names the extra to install.
        """
        from natfit.diagnostics.plotting import new_axes, say

        ax = new_axes(ax)
        if self.draw is None or not self.applicable:
            say(ax, self.name, self.verdict)
        else:
            self.draw(ax, self)
        return ax

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return f"<Report {self.name}: {outcome(self)}, {self.value_text} {self.value:.3g}>"


def outcome(report: Report) -> str:
    """Return "passed", "FAILED" or "not applicable"."""
    if not report.applicable:
        return "not applicable"
    return "passed" if report.passed else "FAILED"


@dataclass(frozen=True, eq=False)
class Reports:
    """Several reports on one point: iterate, index by name, or print the table.

    Parameters
    ----------
    title : str
        What was checked.
    reports : tuple of Report
        In the order in which they build on one another.
    """

    title: str
    reports: tuple[Report, ...]

    def __iter__(self) -> Iterator[Report]:
        return iter(self.reports)

    def __len__(self) -> int:
        return len(self.reports)

    def __getitem__(self, name: str) -> Report:
        for report in self.reports:
            if report.name == name:
                return report
        known = ", ".join(repr(report.name) for report in self.reports)
        raise KeyError(f"there is no report called {name!r}; there are {known}.")

    @property
    def passed(self) -> bool:
        """True where every statement that applies was confirmed."""
        return all(report.passed for report in self.reports if report.applicable)

    def table(self) -> pd.DataFrame:
        """One row a statement: name, outcome, number, error, what the number is, verdict."""
        import pandas as pd

        rows = [
            {
                "statement": report.name,
                "outcome": outcome(report),
                "value": report.value,
                "error": report.error,
                "quantity": report.value_text,
                "verdict": report.verdict,
            }
            for report in self.reports
        ]
        return pd.DataFrame(rows)

    def summary(self) -> str:
        """The table as text, with one verdict a paragraph."""
        width = max(len(report.name) for report in self.reports)
        lines = [self.title, "=" * min(len(self.title), WIDTH)]
        for report in self.reports:
            lines.append(f"{report.name:<{width}}  {outcome(report)}")
            lines.append(fill(report.verdict, WIDTH, initial_indent="    ", subsequent_indent="    "))
        return "\n".join(lines)

    def plot(self) -> Any:
        """Draw every figure, two side by side, and return the matplotlib axes as an array."""
        from natfit.diagnostics.plotting import grid_of_axes

        axes = grid_of_axes(len(self.reports))
        for ax, report in zip(axes.flat, self.reports, strict=False):
            report.plot(ax)
        return axes

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return f"<Reports: {', '.join(f'{report.name} {outcome(report)}' for report in self.reports)}>"
