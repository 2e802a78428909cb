"""What every fitted mixture says by other fits and of its rows: bootstraps, the number of components, residuals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from natfit.data.block import Block
from natfit.results.mixtures.estimates import MixtureEstimates
from natfit.results.tails import Tails

Array = np.ndarray[Any, np.dtype[Any]]


class MixtureInference(MixtureEstimates):
    """A part of `natfit.MixtureResults` and `natfit.MixtureRegressionResults`.

    A result adds ``_like`` (the same fit with standard errors of another kind), ``_drawing`` (what makes the rows of a
    bootstrap), ``_enlarged`` (the fit of one component more, and what fits drawn rows by both) and ``_tails``.
    """

    def _like(self, cov_type: str) -> Self:
        """Return the same fit with standard errors of another kind."""
        raise NotImplementedError

    def _drawing(self, kind: str) -> Callable[[np.random.Generator], Block]:
        """Return what makes the rows of a replicate, or refuse."""
        raise NotImplementedError

    def _enlarged(self, n_init: int, rng: np.random.Generator) -> tuple[Any, Callable[[], tuple[Any, Any]]]:
        """Return the fit of one component more, and what fits drawn rows by both; None where there is no maximum."""
        raise NotImplementedError

    def _tails(self) -> tuple[Tails, Any]:
        """Return P(Y < y) and P(Y <= y) of the rows, (n,), and the rows' labels."""
        raise NotImplementedError

    def with_covariance(self, cov_type: str) -> Self:
        """Return the same fit with standard errors of another kind: "observed", "empirical" or "robust"."""
        return self._like(cov_type)

    def bootstrap(
        self, n_boot: int = 200, kind: str = "nonparametric", random_state: Any = None, progress: bool = False
    ) -> Any:
        """Fit bootstrapped rows from this fit's estimates, components matched to its own by the rows that they share.

        Parameters
        ----------
        n_boot : int
        kind : {"nonparametric", "parametric"}
            Rows, or whole groups, drawn again; or rows, of regressions responses, drawn from the fitted mixture.
        random_state : int or Generator, optional
        progress : bool

        Returns
        -------
        MixtureBootstrap
            ``estimates``, ``bse``, ``conf_int()``.
        """
        from natfit.results.mixtures.bootstrap import bootstrap

        return bootstrap(self, n_boot, kind, random_state, progress)

    def test_components(
        self, n_boot: int = 99, n_init: int = 10, random_state: Any = None, progress: bool = False
    ) -> Any:
        """Test this number of components against one more, by the parametric bootstrap of the likelihood ratio.

        The ratio has no chi-squared limit here, as the smaller mixture lies on the edge of the larger one.

        Parameters
        ----------
        n_boot : int
        n_init : int
            Starts of each fit with one component more.
        random_state : int or Generator, optional
        progress : bool

        Returns
        -------
        ComponentsTest
            ``statistic``, ``pvalue``, ``replicates``, and the fit ``larger``.

        Notes
        -----
        McLachlan (1987), On bootstrapping the likelihood ratio test statistic for the number of components, Applied
        Statistics 36.
        """
        from natfit.results.mixtures.component_test import test_components

        return test_components(self, n_boot, n_init, random_state, progress)

    def quantile_residuals(self, random_state: Any = None) -> Any:
        """Return randomized quantile residuals, a Series (n,): standard normal where the mixture holds.

        They are those of the mixture as a whole, whichever component a row belongs to. Of regressions each row's
        distribution function is its components', weighted as before its response, and those of its group, are seen.

        Parameters
        ----------
        random_state : int or numpy Generator, optional
            Of the place between P(Y < y) and P(Y <= y) where a value has mass.

        Raises
        ------
        ValueError
            For rows of several columns, rows from a source, and discrete responses with ``var_weights`` or a free
            dispersion, which have no law of an observation.

        Notes
        -----
        Dunn & Smyth (1996), Journal of Computational and Graphical Statistics 5, 236-244. Residuals of rows in one group
        depend on each other.
        """
        import pandas as pd

        from natfit.results.tails import normal_quantiles

        tails, index = self._tails()
        return pd.Series(normal_quantiles(tails, random_state), index=index, name="quantile_residual")
