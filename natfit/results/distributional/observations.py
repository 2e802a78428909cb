"""The rows of a distributional fit set against their fitted laws: residuals, rootograms, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from natfit.results.distributional.at_rows import Counts, Deviations, Predictors, Tails

Array = np.ndarray[Any, np.dtype[Any]]


MOST_BARS = 50
"""Counts that a rootogram shows one by one; more are put together."""


class Observing:
    """Mixed into a distributional fit."""

    if TYPE_CHECKING:
        model: Any
        family: Any

        @property
        def coefficients(self) -> Array: ...
        def _require_numbers(self, what: str) -> None: ...

    def _tails(self) -> tuple[Array, Array]:
        """Return P(Y < y) and P(Y <= y) of the rows of the fit."""
        self._require_order()
        found = self.model.new_rows().each(Tails(self.model.likelihood, self.coefficients))
        return found[:, 0], found[:, 1]

    def _require_order(self) -> None:
        """Refuse responses whose values are not ordered, or of which a row has several."""
        family = self.family
        if family.has_trials:
            return
        if not family.class_predictors:
            self._require_numbers("distribution functions, and residuals made of them,")
        elif not family.ordinal:
            raise ValueError(
                f"residuals from distribution functions need an order, and the classes of the {family.name} family have "
                "none; use an ordered family, or look at the classes' probabilities"
            )
        elif (self.model.data.y.sum(axis=1) != 1.0).any():
            raise ValueError(
                "residuals from distribution functions are of single cases, and these rows count several; give a row to "
                "each case, with freq_weights"
            )

    @property
    def resid_response(self) -> Any:
        """y - mean of each row; of counts of classes and of shares a column for each, of successes out of trials numbers."""
        return self._deviations(pearson=False)

    @property
    def resid_pearson(self) -> Any:
        """(y - mean) / standard deviation of each row, in columns as `resid_response`."""
        return self._deviations(pearson=True)

    def _deviations(self, pearson: bool) -> Any:
        if self.family.circular:
            raise ValueError(
                "directions have no differences from a mean that residuals could be; see quantile_residuals()"
            )
        rows, several = self.model.new_rows(), None if self.family.has_trials else self.family.class_names
        found = rows.each(Deviations(self.model.likelihood, self.coefficients, pearson))
        return rows.label(found, several)

    def quantile_residuals(self, random_state: Any = None) -> Any:
        """Return randomized quantile residuals, standard normal if the model holds, one for each row of the fit.

        Parameters
        ----------
        random_state : int or numpy Generator, optional
            Of the place between P(Y < y) and P(Y <= y) where a value has mass.

        Notes
        -----
        Dunn & Smyth (1996), Journal of Computational and Graphical Statistics 5, 236-244. A residual is infinite where a
        response lies further out than floating point tells from 1.
        """
        below, upto = self._tails()
        share = np.random.default_rng(random_state).uniform(size=len(below))
        return self.model.new_rows().label(special.ndtri(below + share * (upto - below)))

    @property
    def _eta(self) -> Array:
        """The first free parameter's linear predictor: what residuals are drawn against."""
        return self.model.new_rows().each(Predictors(self.model.likelihood, self.coefficients))[:, 0]

    def rootogram(self, highest: int | None = None, width: int | None = None) -> Any:
        """Return observed and expected numbers of rows for each count, a DataFrame by count.

        Parameters
        ----------
        highest : int, optional
            The last count; by default the largest of the data, or the 99.9th percentile of a long tail.
        width : int, optional
            How many counts stand together, under the first of them: by default 1, and more where the counts of the data
            reach over more than 50.

        Raises
        ------
        ValueError
            Where the response is no count, or nothing is between the ends.
        """
        y, family = self.model.data.y, self.family
        if not family.support.discrete or family.support.event_shape:
            raise ValueError(f"a rootogram is for counts, and the {family.name} family's response is none")
        lowest = int(family.support.low)
        last = int(min(y.max(), np.ceil(np.quantile(y, 0.999)) + 1.0)) if highest is None else int(highest)
        if last < lowest or (width is not None and width < 1):
            raise ValueError(f"a rootogram needs highest >= {lowest} and width >= 1; got {highest} and {width}")
        if width is None:
            width = max(-(-(last - int(y.min())) // MOST_BARS), 1)
        counts = np.arange(lowest, last + 1)
        found = sum(self.model.new_rows().map(Counts(self.model.likelihood, self.coefficients, counts.tolist())))
        import pandas as pd

        first = np.arange(0, len(counts), width)
        together = np.add.reduceat(found, first, axis=0)
        return pd.DataFrame(together, columns=["observed", "expected"], index=pd.Index(counts[first], name="count"))

    def pit(self, bins: int = 10) -> Array:
        """Return the shares of the probability integral transform in equal bins: 1 / bins each where the model holds.

        Notes
        -----
        For counts not randomized: Czado, Gneiting & Held (2009), Biometrics 65, 1254-1261.
        """
        if bins != int(bins) or bins < 1:
            raise ValueError(f"bins must be a whole number, 1 or more; got {bins!r}")
        below, upto = self._tails()
        edges = np.linspace(0.0, 1.0, bins + 1)[:, None]
        with np.errstate(all="ignore"):
            inside = np.where(upto > below, (edges - below) / (upto - below), np.where(edges >= upto, 1.0, 0.0))
        reached = np.clip(inside, 0.0, 1.0)
        weight = self.model.data.freq_weights
        return np.diff(np.average(reached, axis=1, weights=weight))

    # -- figures ---------------------------------------------------------------------------------------------------

    def plot_residuals(self, kind: str = "all", random_state: Any = 0, ax: Any = None) -> Any:
        """Draw quantile residuals: against the first predictor, normal quantiles, as a worm, and their scale.

        Parameters
        ----------
        kind : {"all", "fitted", "qq", "worm", "scale"}
        random_state : int or numpy Generator
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes, or an array of them
        """
        from natfit.diagnostics.plots.residuals import plot_residuals

        return plot_residuals(self, kind, "quantile", random_state, ax)

    def plot_rootogram(self, highest: int | None = None, width: int | None = None, ax: Any = None) -> Any:
        """Draw a hanging rootogram: bars of the root of the observed numbers, hung from that of the expected ones.

        Parameters
        ----------
        highest, width : as for `rootogram`
        ax : matplotlib Axes, optional

        Source: Kleiber & Zeileis (2016), American Statistician 70, 296-303.
        """
        from natfit.diagnostics.plots.distributional import plot_rootogram

        return plot_rootogram(self, highest, width, ax)

    def plot_pit(self, bins: int = 10, ax: Any = None) -> Any:
        """Draw the histogram of the probability integral transform with 95 % limits of chance for each bin."""
        from natfit.diagnostics.plots.distributional import plot_pit

        return plot_pit(self, bins, ax)
