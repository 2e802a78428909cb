"""Mixtures of several sizes and covariance models, compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class MixtureSelection:
    """Fitted mixtures side by side; made by `natfit.Mixture.select`.

    Parameters
    ----------
    fits : mapping of (str, int) to MixtureResults
        By covariance model and number of components.
    failures : mapping of (str, int) to str
        Why there is no fit.
    gaussian : bool
    """

    def __init__(self, fits: Mapping[tuple[str, int], Any], failures: Mapping[tuple[str, int], str], gaussian: bool):
        self.fits = dict(fits)
        self.failures = dict(failures)
        self.gaussian = gaussian
        if not fits:
            raise ValueError(f"no mixture could be fitted: {next(iter(self.failures.values()), 'none was asked for')}")

    def table(self, sort: str | None = None) -> Any:
        """Return a frame with a row for each fit: log-likelihood, parameters, AIC, BIC, ICL, starts at the best maximum.

        Parameters
        ----------
        sort : {"aic", "bic", "icl"}, optional
            Criterion to order by, the smallest first.
        """
        import pandas as pd

        if sort is not None:
            self._check(sort, "sort")
        rows = []
        for (name, size), fit in self.fits.items():
            rows.append(
                {
                    "covariance": name,
                    "n_components": size,
                    "llf": fit.llf,
                    "df": fit.df,
                    "aic": fit.aic,
                    "bic": fit.bic,
                    "icl": fit.icl,
                    "starts_at_best": f"{fit.n_best}/{fit.n_starts}",
                    "reservations": "; ".join(fit.reservations),
                }
            )
        for (name, size), why in self.failures.items():
            rows.append({"covariance": name, "n_components": size, "reservations": why})
        table = pd.DataFrame(rows)
        table = table if self.gaussian else table.drop(columns="covariance")
        return table if sort is None else table.sort_values(sort, ignore_index=True)

    def best(self, criterion: str = "bic") -> Any:
        """Return the fit with the smallest ``"aic"``, ``"bic"`` or ``"icl"``."""
        self._check(criterion)
        return min(self.fits.values(), key=lambda fit: getattr(fit, criterion))

    def plot(self, criterion: str = "bic", ax: Any = None) -> Any:
        """Draw a criterion against the number of components, a line for each covariance model; return the axes."""
        from natfit.diagnostics.plots.mixture import plot_selection

        self._check(criterion)
        return plot_selection(self, criterion, ax)

    def _check(self, criterion: str, name: str = "criterion") -> None:
        if criterion not in ("aic", "bic", "icl"):
            raise ValueError(f"{name} must be 'aic', 'bic' or 'icl'; got {criterion!r}")
