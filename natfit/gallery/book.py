"""What a book printed, beside what natfit computes: agreement to the digits printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """One number of a book and natfit's.

    Parameters
    ----------
    quantity : str
    ours : float
        What natfit computed.
    printed : str
        The number as it stands in print, trailing zeros included.
    """

    quantity: str
    ours: float
    printed: str

    @property
    def unit(self) -> float:
        """One unit of the last digit printed."""
        return 10.0 ** _exponent(self.printed)

    @property
    def difference(self) -> float:
        """natfit's number less the book's."""
        return self.ours - float(self.printed)

    @property
    def agrees(self) -> bool:
        """Whether natfit's number, rounded to the digits printed, is the one printed."""
        # A hair more than half a unit: a number that lies on the boundary may be rounded either way.
        return bool(abs(self.difference) <= 0.5 * self.unit * (1.0 + 1e-6))


class Book:
    """Numbers in print, each with natfit's beside it.

    Parameters
    ----------
    source : str
        Where the numbers stand: author, year, page or table; or the program and its version.

    Examples
    --------
    >>> book = Book("Dobson (1990), p. 93")
    >>> book.compare("deviance", 5.12914, "5.129")
    >>> book.agrees
    True
    >>> print(book)
    quantity  natfit  Dobson (1990), p. 93  difference
    deviance  5.1291                 5.129    +1.4e-04  agrees
    """

    def __init__(self, source: str):
        self.source = source
        self.comparisons: list[Comparison] = []

    def compare(self, quantity: str, ours: float, printed: str) -> None:
        """Put a number of natfit's beside one in print.

        Parameters
        ----------
        quantity : str
            What the number is.
        ours : float
        printed : str
            As printed: ``"0.050"`` says three decimals.

        Raises
        ------
        ValueError
            If ``printed`` is not a finite number in text.
        """
        _exponent(printed)
        self.comparisons.append(Comparison(quantity, float(ours), printed))

    def compare_coefficients(self, fit: Any, printed: Mapping[str, tuple[str, str]]) -> None:
        """Put the coefficients of a fit and their standard errors beside those in print.

        Parameters
        ----------
        fit
            A result with labelled ``params`` and ``bse``.
        printed : mapping of str to (str, str)
            From a coefficient's name to its estimate and standard error as printed.
        """
        for name, (estimate, error) in printed.items():
            self.compare(name, fit.params[name], estimate)
            self.compare(f"{name}, s.e.", fit.bse[name], error)

    @property
    def agrees(self) -> bool:
        """Whether every number agrees to the digits printed."""
        return all(one.agrees for one in self.comparisons)

    @property
    def digits(self) -> int:
        """The most significant digits that any of the numbers is printed with."""
        return max((len(Decimal(one.printed).as_tuple().digits) for one in self.comparisons), default=0)

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """Return the table's cells: quantity, natfit's number, the book's, their difference, the verdict."""
        return [
            (
                one.quantity,
                _one_digit_more(one),
                one.printed,
                f"{one.difference:+.1e}",
                "agrees" if one.agrees else "DIFFERS",
            )
            for one in self.comparisons
        ]

    def __str__(self) -> str:
        rows = [("quantity", "natfit", self.source, "difference", ""), *self.rows()]
        widths = [max(len(row[j]) for row in rows) for j in range(5)]
        lines = []
        for row in rows:
            cells = [row[0].ljust(widths[0]), *(row[j].rjust(widths[j]) for j in (1, 2, 3)), row[4]]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)


def _exponent(printed: str) -> int:
    """Return the power of ten of the last digit printed."""
    try:
        exponent = Decimal(printed).as_tuple().exponent
    except InvalidOperation:
        exponent = "n"
    if not isinstance(exponent, int):
        raise ValueError(f"a number in print must be finite digits such as '0.050', got {printed!r}")
    return exponent


def _one_digit_more(one: Comparison) -> str:
    """Return natfit's number with one digit more than is printed, in the same notation."""
    if not np.isfinite(one.ours):
        return str(one.ours)
    decimals = max(-_exponent(one.printed), 0) + 1
    if "e" in one.printed.lower():
        return f"{one.ours:.{len(Decimal(one.printed).as_tuple().digits)}e}"
    return f"{one.ours:.{decimals}f}"
