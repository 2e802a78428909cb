"""Fits side by side: a column for each, coefficients with their standard errors below, measures of fit at the foot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from natfit.results.broom import tidy

Array = np.ndarray[Any, np.dtype[Any]]

LEVELS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
"""Where stars are asked for: the p-values up to which, R's."""
MEASURES = {
    "N": "nobs",
    "Log-likelihood": "llf",
    "AIC": "aic",
    "BIC": "bic",
    "Deviance": "deviance",
    "Df residual": "df_resid",
    "Scale": "scale",
}
"""The foot of the table: what each row is called, and the attribute of a fit that it shows."""
WHOLE = ("N", "Df residual")


def compare(
    fits: Sequence[Any] | Mapping[str, Any],
    names: Sequence[str] | None = None,
    stars: bool = False,
    *,
    measures: Sequence[str] | None = None,
    digits: int = 4,
) -> Comparison:
    """Return a table of fits side by side: coefficients with standard errors below, and measures of fit.

    Parameters
    ----------
    fits : sequence of results, or mapping of str to results
        Of any kind, of any rows: a note says where the rows, or the responses, are not the same.
    names : sequence of str, optional
        What to call them; ``(1)``, ``(2)``, ... where left out.
    stars : bool
        Whether to mark p-values up to 0.05, 0.01 and 0.001; off, as they say less than the standard errors.
    measures : sequence of str, optional
        Which rows the foot has, of "N", "Log-likelihood", "AIC", "BIC", "Deviance", "Df residual", "Scale".
    digits : int
        Significant digits of what is printed; ``frame`` has them all.

    Returns
    -------
    Comparison
        Prints itself; ``frame`` is a DataFrame of numbers, ``as_text``, ``as_html``, ``as_latex`` and ``as_markdown`` give
        the table.

    Raises
    ------
    ValueError
        If there is no fit, or names are too few or not distinct.

    Examples
    --------
    >>> import natfit as nf
    >>> crabs = nf.datasets.load("crabs")
    >>> fits = [nf.GLM.from_formula(f, crabs, family="poisson").fit() for f in ("sat ~ width", "sat ~ width + weight")]
    >>> print(compare(fits, names=["width", "both"], measures=["N", "AIC"]))
    ===============================
                   width       both
    -------------------------------
    Intercept     -3.305     -1.295
                (0.5422)   (0.8989)
    width          0.164    0.04608
               (0.01997)  (0.04675)
    weight                    0.447
                           (0.1586)
    -------------------------------
    N                173        173
    AIC            927.2      921.2
    ===============================
    Standard errors in parentheses.
    """
    if isinstance(fits, Mapping):
        names, fits = list(fits) if names is None else names, list(fits.values())
    fits = list(fits)
    if not fits:
        raise ValueError("compare needs at least one fit")
    labels = [f"({k})" for k in range(1, len(fits) + 1)] if names is None else [str(name) for name in names]
    if len(labels) != len(fits) or len(set(labels)) != len(labels):
        raise ValueError(f"names needs a name of its own for each of the {len(fits)} fits, got {labels}")
    for fit in fits:
        if not (hasattr(fit, "params") and hasattr(fit, "tvalues")):
            raise TypeError(f"compare takes fits with a table of coefficients, got {type(fit).__name__}")
    unknown = [name for name in measures or () if name not in MEASURES]
    if unknown:
        raise ValueError(f"measures has {', '.join(map(repr, unknown))}; choose of {', '.join(MEASURES)}")
    return Comparison(fits, labels, stars, list(MEASURES) if measures is None else list(measures), digits)


class Comparison:
    """Fits side by side; made by `natfit.compare`.

    Attributes
    ----------
    frame : DataFrame
        All digits: rows (term, "coef") and (term, "std err"), then (measure, ""); NaN where a fit has no such term.
    """

    def __init__(self, fits: Sequence[Any], names: Sequence[str], stars: bool, measures: Sequence[str], digits: int):
        self._fits, self._names, self._stars = list(fits), list(names), stars
        self._measures = [each for each in measures if any(hasattr(fit, MEASURES[each]) for fit in self._fits)]
        self._digits = digits
        self._tidy = [tidy(fit).set_index("term") for fit in self._fits]
        self._terms = list(dict.fromkeys(term for each in self._tidy for term in each.index))

    @property
    def frame(self) -> Any:
        """The numbers, with all their digits."""
        import pandas as pd

        rows: dict[tuple[str, str], list[float]] = {}
        for term in self._terms:
            for label, column in (("coef", "estimate"), ("std err", "std_error")):
                rows[term, label] = [float(each[column].get(term, np.nan)) for each in self._tidy]
        for name in self._measures:
            rows[name, ""] = [float(getattr(fit, MEASURES[name], np.nan)) for fit in self._fits]
        index = pd.MultiIndex.from_tuples(list(rows), names=["", " "])
        return pd.DataFrame(list(rows.values()), index=index, columns=self._names)

    def notes(self) -> list[str]:
        """Return what is to be said below the table, the reservations first."""
        said = [
            f"{name}: NOT CONVERGED: {fit.reason}."
            for name, fit in zip(self._names, self._fits, strict=True)
            if not fit.converged
        ]
        responses = dict.fromkeys(str(getattr(fit.model, "endog_names", "")) for fit in self._fits)
        if len(responses) > 1:
            said.append(f"The responses differ ({', '.join(responses)}): likelihoods do not compare.")
        elif len({fit.nobs for fit in self._fits}) > 1:
            said.append("The fits rest on different numbers of rows: likelihoods do not compare.")
        kinds = [str(getattr(fit, "cov_type", "")) for fit in self._fits]
        told = "" if set(kinds) <= {"nonrobust", ""} else f" ({', '.join(kinds)})"
        said.append(f"Standard errors in parentheses{told}.")
        if self._stars:
            said.append(", ".join(f"{mark} p <= {level:g}" for level, mark in LEVELS[::-1]) + ".")
        return said

    def cells(self) -> tuple[list[list[str]], list[list[str]]]:
        """Return the texts of the coefficients' rows and of the measures' rows, the row's name first."""
        upper = []
        for term in self._terms:
            estimates, errors = [term], [""]
            for each in self._tidy:
                known = term in each.index
                row = each.loc[term] if known else None
                estimates.append(self._number(row["estimate"]) + self._mark(row["p_value"]) if row is not None else "")
                errors.append(f"({self._number(row['std_error'])})" if row is not None else "")
            upper += [estimates, errors]
        lower = [
            [name, *(self._measure(name, getattr(fit, MEASURES[name], np.nan)) for fit in self._fits)]
            for name in self._measures
        ]
        return upper, lower

    def _number(self, value: float) -> str:
        return "nan" if np.isnan(value) else f"{value:.{self._digits}g}"

    def _measure(self, name: str, value: float) -> str:
        if np.isnan(value):
            return ""
        return f"{value:g}" if name in WHOLE else f"{value:.{max(self._digits, len(f'{abs(value):.0f}') + 1)}g}"

    def _mark(self, pvalue: float) -> str:
        return next((mark for level, mark in LEVELS if pvalue <= level), "") if self._stars else ""

    def as_text(self) -> str:
        """Return the table as text."""
        upper, lower = self.cells()
        head = ["", *self._names]
        widths = [max(map(len, column)) for column in zip(head, *upper, *lower, strict=True)]
        line = "=" * (sum(widths) + 2 * (len(widths) - 1))

        def row(cells: list[str]) -> str:
            rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
            return "  ".join([cells[0].ljust(widths[0]), *rest]).rstrip()

        inner = line.replace("=", "-")
        body = [line, row(head), inner, *map(row, upper), *([inner] if lower else []), *map(row, lower), line]
        return "\n".join([*body, *self.notes()])

    __str__ = as_text

    def __repr__(self) -> str:
        return self.as_text()

    def as_html(self) -> str:
        """Return the table as HTML, names escaped."""
        from html import escape

        upper, lower = self.cells()

        def row(cells: list[str]) -> str:
            rest = "".join(f"<td>{escape(cell)}</td>" for cell in cells[1:])
            return f"<tr><th>{escape(cells[0])}</th>{rest}</tr>"

        head = "".join(f"<th>{escape(name)}</th>" for name in self._names)
        bodies = "\n".join("<tbody>\n" + "\n".join(map(row, part)) + "\n</tbody>" for part in (upper, lower) if part)
        notes = "<br/>\n".join(map(escape, self.notes()))
        top = f"<thead>\n<tr><th></th>{head}</tr>\n</thead>"
        return f'<table class="simpletable">\n{top}\n{bodies}\n</table>\n<p>{notes}</p>'

    def _repr_html_(self) -> str:
        return self.as_html()

    def as_latex(self) -> str:
        """Return the table for a LaTeX document that loads booktabs."""
        from natfit.results.tables import LATEX_NOTES

        upper, lower = self.cells()

        def row(cells: list[str]) -> str:
            return " & ".join(cell.translate(LATEX_NOTES) for cell in cells) + r" \\"

        middle = [r"\midrule"] if lower else []
        lines = [
            rf"\begin{{tabular}}{{l{'r' * len(self._names)}}}",
            r"\toprule",
            row(["", *self._names]),
            *(r"\midrule", *map(row, upper), *middle, *map(row, lower), r"\bottomrule"),
            r"\end{tabular}",
        ]
        return "\n".join(
            [*lines, "", r"\noindent", " \\\\\n".join(note.translate(LATEX_NOTES) for note in self.notes())]
        )

    def as_markdown(self) -> str:
        """Return the table in Markdown, with names as code."""
        from natfit.results.tables import MARKDOWN, grid

        upper, lower = self.cells()
        lines = grid([["", *self._names], *upper, *lower])
        return "\n".join([*lines, "", *(f"- {note.translate(MARKDOWN)}" for note in self.notes())]) + "\n"

    def _repr_markdown_(self) -> str:
        return self.as_markdown()
