"""The fitted law of each row, as a thing to ask: densities, probabilities, quantiles, moments, draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.families.distributional.base import DistributionalFamily, Parameters
from natfit.results.distributional.at_rows import check_levels

Array = np.ndarray[Any, np.dtype[Any]]


class RowLaws:
    """The laws of m rows at the estimates, under the names of SciPy's frozen distributions.

    Made by ``fit.get_distribution(new)``. What is asked of all rows at once has one entry for each row; a column of
    values, (k, 1), makes a line of each of them, (k, m).

    Parameters
    ----------
    family : DistributionalFamily
        Of one number for each row.
    theta : Parameters
        K arrays (m,).

    Examples
    --------
    >>> import natfit as nf
    >>> fit = nf.DistributionalRegression.from_formula("Days ~ Age", nf.datasets.load("quine"), "nb2").fit()
    >>> law = fit.get_distribution({"Age": ["F0", "F3"]})
    >>> law.pmf(0).round(4), law.sf(20).round(4), law.mean().round(3)
    (array([0.0486, 0.0361]), array([0.2545, 0.3591]), array([14.852, 19.606]))
    """

    def __init__(self, family: DistributionalFamily, theta: Parameters):
        self.family, self.theta = family, theta

    def _each(self, function: Callable[[Array, Parameters], Array], value: Any) -> Array:
        """Return a function of values and of the rows' parameters, the values broadcast against the rows."""
        n_rows = len(self.theta[0])
        whole = np.asarray(value, dtype=float)
        try:
            shape = np.broadcast_shapes(whole.shape, (n_rows,))
        except ValueError:
            shape = ()
        if shape[-1:] != (n_rows,):
            raise ValueError(
                f"give one value, one for each of the {n_rows} rows, or a column of values (k, 1); got shape {whole.shape}"
            )
        flat = np.broadcast_to(whole, shape).reshape(-1, n_rows)
        with np.errstate(all="ignore"):
            return np.stack([function(np.array(line), self.theta) for line in flat]).reshape(shape)

    def logpdf(self, y: Any) -> Array:
        """Return the log-density, or the logarithm of the probability of a count; minus infinity outside the support."""

        def inside(line: Array, theta: Parameters) -> Array:
            known = self.family.support.contains(line)
            safe = np.where(known, line, self._some(theta))
            return np.where(known, self.family.log_prob(safe, theta), -np.inf)

        return self._each(inside, y)

    def _some(self, theta: Parameters) -> Array:
        """Return a value inside the support for each row."""
        return self.family.quantile(np.full(len(theta[0]), 0.5), theta)

    logpmf = logpdf

    def pdf(self, y: Any) -> Array:
        """Return the density, or the probability of a count."""
        return np.exp(self.logpdf(y))

    pmf = pdf

    def cdf(self, y: Any) -> Array:
        """Return P(Y <= y); of directions beginning half a turn before the mean direction."""

        def upto(line: Array, theta: Parameters) -> Array:
            low, high = self.family.support.low, self.family.support.high
            within = np.floor(line) if self.family.support.discrete else line
            safe = np.clip(within, low, high)
            safe = np.where(self.family.support.contains(safe), safe, self._some(theta))
            found = self.family.cdf(safe, theta)
            return np.where(within < low, 0.0, np.where(within >= high, 1.0, found))

        return self._each(self.family.cdf if self.family.circular else upto, y)

    def sf(self, y: Any) -> Array:
        """Return P(Y > y)."""
        return 1.0 - self.cdf(y)

    def ppf(self, q: Any) -> Array:
        """Return the least y with P(Y <= y) >= q, for q strictly between 0 and 1."""
        return self._each(self.family.quantile, check_levels(q))

    def mean(self) -> Array:
        """Return E[Y] of each row."""
        return self.family.mean(self.theta)

    def var(self) -> Array:
        """Return the variance of Y of each row."""
        return self.family.variance(self.theta)

    def std(self) -> Array:
        """Return the standard deviation of Y of each row."""
        return np.sqrt(self.var())

    def rvs(self, random_state: Any = None) -> Array:
        """Draw one response for each row."""
        return self.family.sample(self.theta, np.random.default_rng(random_state))


class WithLaws:
    """Mixed into a distributional fit."""

    if TYPE_CHECKING:
        model: Any

        def _parameters(self, rows: Any) -> Parameters: ...
        def _law(self, trials: Array | None) -> DistributionalFamily: ...
        def _trials(self, what: str, rows: Any, exog: Any, given: Any) -> Array | None: ...

    def get_distribution(self, exog: Any = None, *, offset: Any = None, trials: Any = None) -> RowLaws:
        """Return the law of each row at the estimates, to ask for densities, probabilities, quantiles and moments.

        Parameters
        ----------
        exog, offset : as for `predict`
        trials : int or (m,) array_like, optional
            As for `prediction_interval`.

        Raises
        ------
        ValueError
            For responses that are classes or have several columns, and where a row lacks a value.
        """
        rows = self.model.new_rows(exog, offset)
        if rows.kept is not None:
            raise ValueError(
                f"each row must have a law, and {int((~rows.kept).sum())} of {len(rows.kept)} rows lack a value; drop them"
            )
        law = self._law(self._trials("distributions", rows, exog, trials))
        return RowLaws(law, self._parameters(rows))
