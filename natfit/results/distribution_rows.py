"""What is asked of the observations that a distribution was fitted to: residuals and figures."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.results.plots import EstimatePlots, QuantilePlots
from natfit.results.tails import Array, normal_quantiles, tails_of, written_out


class DistributionRows(EstimatePlots, QuantilePlots):
    """A part of `natfit.DistributionResults`."""

    base: Any
    family: Any

    def _rows(self, what: str) -> Array:
        y = getattr(self.base.data, "y", None)
        if y is None:
            raise ValueError(f"{what} needs the observations in memory, which this fit has not; fit an array instead")
        if self.family.support.event_shape:
            raise ValueError(
                f"{what} needs observations of one number each, and the {self.family.name} family's are not"
            )
        return np.asarray(y, dtype=float)

    def quantile_residuals(self, random_state: Any = None) -> Any:
        """Return randomized quantile residuals, one for each row: standard normal where the distribution holds.

        The normal quantile of P(Y <= y); where y has mass of its own, of a uniform draw between P(Y < y) and P(Y <= y).

        Parameters
        ----------
        random_state : int or numpy Generator, optional

        Returns
        -------
        (n,) ndarray

        Raises
        ------
        ValueError
            Where the observations are not in memory, or not of one number each.

        Notes
        -----
        Dunn & Smyth (1996), Journal of Computational and Graphical Statistics 5, 236-244. Infinite where a value lies
        further out than floating point tells from 1.

        Examples
        --------
        >>> import natfit as nf
        >>> fit = nf.fit_distribution("gaussian", [1.0, 2.0, 6.0])
        >>> fit.quantile_residuals().round(3)
        array([-0.926, -0.463,  1.389])
        """
        return normal_quantiles(tails_of(self.family, self._rows("a residual"), self.base.home), random_state)

    def _residuals_of_observations(self, random_state: Any) -> Array:
        """Return residuals with one for each observation: of a table of frequencies, each row written out."""
        tails = tails_of(self.family, self._rows("a residual"), self.base.home)
        return normal_quantiles(written_out(tails, self.base.data.freq_weights), random_state)

    def plot(self, ax: Any = None) -> Any:
        """Draw the fitted density, or probabilities, over a histogram of the observations.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        from natfit.diagnostics.plots.density import plot_distribution

        return plot_distribution(self, ax)
