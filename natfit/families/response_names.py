"""A response family under the names that statsmodels' families have; everything is derived from natfit's primitives.

statsmodels' family holds its link and, for counts of successes, the number of trials. natfit's holds neither: a model
binds a copy of its family to both (`Bound`), and what needs a link asks the copy.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from natfit.families.interval import Array

if TYPE_CHECKING:
    from natfit.families.link_base import Link


class Bound(NamedTuple):
    """What a model's family is bound to."""

    link: Link
    trials: Array | None = None


class ResponseNames:
    """Mixed into every `natfit.families.response.Response`: statsmodels' methods of a family."""

    _bound: Bound | None = None

    if TYPE_CHECKING:
        name: str

        def variance(self, mu: Array, complement: Array | None = None) -> Array: ...
        def unit_deviance(self, y: Array, mu: Array, complement: Array | None = None) -> Array: ...
        def starting_mean(self, y: Array, average: float | None = None) -> Array: ...

        response_log_prob: Any

    def bound_to(self, link: Link, trials: Array | None = None) -> Self:
        """Return a copy that knows its link, and the trials of a model's rows."""
        made = copy.copy(self)
        made._bound = Bound(link, trials)
        return made

    @property
    def link(self) -> Link:
        """The link of the model that this family belongs to.

        Raises
        ------
        AttributeError
            For a family that belongs to none.
        """
        if self._bound is None:
            raise AttributeError(f"this {self.name} family belongs to no model and so has no link; ask model.link")
        return self._bound.link

    def _trials(self, n_rows: int) -> Array | None:
        trials = None if self._bound is None else self._bound.trials
        return trials if trials is not None and trials.size == n_rows else None

    def anscombe(self, y: Array) -> Array:
        """Integral of V(t)^(-1/3) up to y: the transformed response that is most nearly normal.

        Notes
        -----
        Up to a constant. McCullagh & Nelder (1989), section 2.4.2.
        """
        raise NotImplementedError(f"the {self.name} family gives no Anscombe transform")

    def fitted(self, lin_pred: Any) -> Array:
        """Mean at the linear predictor."""
        return self.link.inverse(lin_pred)

    def predict(self, mu: Any) -> Array:
        """Linear predictor at the mean."""
        return self.link(mu)

    def weights(self, mu: Any) -> Array:
        """Information of each row in its linear predictor at unit dispersion: 1 / (g'(mu)^2 V(mu))."""
        return 1.0 / (self.link.deriv(mu) ** 2 * self.variance(np.asarray(mu, dtype=float)))

    def starting_mu(self, y: Any) -> Array:
        """A mean inside the domain for each row."""
        return self.starting_mean(np.asarray(y, dtype=float))

    def loglike_obs(self, endog: Any, mu: Any, var_weights: Any = 1.0, scale: float = 1.0) -> Array:
        """Normalised log-likelihood of each row."""
        y, means = np.asarray(endog, dtype=float), np.asarray(mu, dtype=float)
        trials = self._trials(y.size)
        known = {} if trials is None else {"trials": trials}
        with np.errstate(all="ignore"):
            return self.response_log_prob(y, means, dispersion=scale, weight=np.asarray(var_weights), **known)

    def loglike(
        self, endog: Any, mu: Any, var_weights: Any = 1.0, freq_weights: Any = 1.0, scale: float = 1.0
    ) -> float:
        """Sum of the rows' log-likelihoods."""
        return float(np.sum(self.loglike_obs(endog, mu, var_weights, scale) * np.asarray(freq_weights)))

    def deviance(
        self, endog: Any, mu: Any, var_weights: Any = 1.0, freq_weights: Any = 1.0, scale: float = 1.0
    ) -> float:
        """Twice the log-likelihood ratio of means at the responses to the means given, over the scale."""
        return float(np.sum(self.resid_dev(endog, mu, var_weights, scale) ** 2 * np.asarray(freq_weights)))

    def resid_dev(self, endog: Any, mu: Any, var_weights: Any = 1.0, scale: float = 1.0) -> Array:
        """Deviance residuals: the root of each row's share of the deviance, with the sign of y - mu."""
        y, means = np.asarray(endog, dtype=float), np.asarray(mu, dtype=float)
        trials = self._trials(y.size)
        with np.errstate(all="ignore"):
            unit = self.unit_deviance(y, means) * var_weights / scale
            return np.sign(y - means) * np.sqrt(unit if trials is None else unit * trials)

    def resid_anscombe(self, endog: Any, mu: Any, var_weights: Any = 1.0, scale: float = 1.0) -> Array:
        """Anscombe residuals: (A(y) - A(mu)) / V(mu)^(1/6), A the `anscombe` transform, in units of their spread."""
        y, means = np.asarray(endog, dtype=float), np.asarray(mu, dtype=float)
        trials = self._trials(y.size)
        with np.errstate(all="ignore"):
            apart = (self.anscombe(y) - self.anscombe(means)) / self.variance(means) ** (1.0 / 6.0)
            return apart * np.sqrt((1.0 if trials is None else trials) * np.asarray(var_weights) / scale)

    def get_distribution(self, mu: Any, scale: float = 1.0, var_weights: Any = 1.0, n_trials: Any = 1) -> Any:
        """Return SciPy's frozen distribution of a response with these means; a binomial's counts successes."""
        return scipy_distribution(self, np.asarray(mu, dtype=float), scale / np.asarray(var_weights), n_trials)


def warn_of_scale(family: Any, scale: float) -> None:
    """Warn that a distribution has no dispersion to take, where the one estimated is not 1."""
    if family.dispersion is not None and scale != family.dispersion:
        import warnings

        warnings.warn(
            f"using scale=1: the {family.name} distribution has no dispersion, and the one estimated is {scale:.6g}",
            UserWarning,
            stacklevel=3,
        )


def scipy_distribution(family: Any, mu: Array, dispersion: Any, trials: Any = 1) -> Any:
    """Return SciPy's frozen distribution of a family's response.

    Raises
    ------
    NotImplementedError
        For a family that SciPy has no distribution for.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import Gamma
    >>> scipy_distribution(Gamma(), np.array([2.0]), 0.5).std()
    array([1.41421356])
    """
    from scipy import stats

    if family.name == "gaussian":
        return stats.norm(loc=mu, scale=np.sqrt(dispersion))
    if family.name == "gamma":
        return stats.gamma(1.0 / dispersion, scale=mu * dispersion)
    if family.name == "inverse_gaussian":
        return stats.invgauss(mu * dispersion, scale=1.0 / dispersion)
    if family.name == "poisson" or (family.name == "negative_binomial" and family.number == 0.0):
        return stats.poisson(mu)
    if family.name == "negative_binomial":
        return stats.nbinom(1.0 / family.number, 1.0 / (1.0 + family.number * mu))
    if family.name == "binomial":
        return stats.binom(n=trials, p=mu)
    raise NotImplementedError(f"SciPy has no distribution for the {family.name} family; sample_response draws from it")
