"""The negative binomial family (NB2): a GLM response, an exponential family, and the derivatives in its shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from natfit.families._stable import STIRLING, horner, log1p_minus, poisson_gap
from natfit.families.interval import POSITIVE, Array
from natfit.families.link_base import Link
from natfit.families.negative_binomial_form import NegativeBinomialForm
from natfit.families.positive_links import NegativeBinomialLink
from natfit.families.registry import register
from natfit.families.response import Response, refuse_outside
from natfit.families.tails import negative_binomial_tails

_POISSON_BELOW = 1e-150  # alpha below which no finite float mean tells the family from the Poisson


class NegativeBinomial(Response, NegativeBinomialForm):
    """Negative binomial response: counts with mean mu and variance V(mu) = mu + alpha mu^2, dispersion 1.

    At a known alpha it is an exponential family too (`NegativeBinomialForm`).

    Source: Hilbe (2011), Negative Binomial Regression, 2nd ed., chapter 8; Lawless (1987), Canadian Journal of
    Statistics 15, 209-225, for the likelihood down to the Poisson boundary alpha = 0.

    Parameters
    ----------
    alpha : float or "ml"
        Shape, 0 or more; R's ``theta`` is 1 / alpha. At 0 this is exactly the Poisson. With "ml" it is left to the
        fit, and whatever needs a number asks for `with_alpha` first.

    Raises
    ------
    ValueError
        If alpha is neither "ml" nor a finite number of 0 or more.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import NegativeBinomial
    >>> family = NegativeBinomial().with_alpha(0.5)
    >>> print(family, family.variance(np.array([2.0])))
    NegativeBinomial(alpha=0.5) [4.]
    """

    name = "negative_binomial"
    mean_domain = POSITIVE
    dispersion = 1.0
    discrete = True
    default_link = "log"
    attainable_limits = (0.0,)

    def __init__(self, alpha: float | str = "ml") -> None:
        self.alpha: float | str = alpha if isinstance(alpha, str) else float(alpha)
        if isinstance(self.alpha, str):
            valid = self.alpha == "ml"
        else:
            valid = 0.0 <= self.alpha < np.inf
        if not valid:
            raise ValueError(f"alpha must be a finite number of 0 or more, or 'ml' to be estimated; got {alpha!r}.")

    @classmethod
    def examples(cls) -> tuple[Response, ...]:
        return tuple(cls(alpha) for alpha in (0.0, 1e-9, 0.3, 2.5))

    def with_alpha(self, alpha: float) -> NegativeBinomial:
        """The same family at a given alpha."""
        return type(self)(alpha)

    @property
    def number(self) -> float:
        """Alpha as a number.

        Raises
        ------
        ValueError
            If it is still to be estimated.
        """
        if isinstance(self.alpha, str):
            raise ValueError(
                "this negative binomial's alpha is still to be estimated; give a number, as in 'negative_binomial(0.5)'."
            )
        return self.alpha if self.alpha > _POISSON_BELOW else 0.0

    @property
    def canonical_links_up_to_scale(self) -> tuple[str, ...]:
        if isinstance(self.alpha, str) or not self.number:
            return ("log",) if self.alpha == 0.0 else ()
        return (NegativeBinomialLink(self.alpha).name,)

    def resolve_link(self, link: Any = None) -> Link:
        """As for every family; the canonical link named without its alpha takes the family's."""
        resolved = super().resolve_link(link)
        if resolved == NegativeBinomialLink() and not isinstance(self.alpha, str):
            return NegativeBinomialLink(self.alpha)
        return resolved

    def check_response(self, y: Array, name: str = "y") -> None:
        remedy = "drop these rows, or use the gaussian family"
        subject = "negative binomial counts"
        refuse_outside(y, 0.0, np.inf, True, subject, name, "must be 0 or more", "negative", remedy)

    def variance(self, mu: Array, complement: Array | None = None) -> Array:
        """mu + alpha mu^2."""
        out = self.number * mu
        out += 1.0
        out *= mu
        return out

    def variance_derivative(self, mu: Array, complement: Array | None = None) -> Array:
        """1 + 2 alpha mu."""
        out = (2.0 * self.number) * mu
        out += 1.0
        return out

    def anscombe(self, y: Array) -> Array:
        return 1.5 * y ** (2.0 / 3.0) * special.hyp2f1(1.0 / 3.0, 2.0 / 3.0, 5.0 / 3.0, -self.number * y)

    def kernel(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """y log(mu / (1 + alpha mu)) - log(1 + alpha mu) / alpha."""
        alpha = self.number
        out = np.log(mu)
        if alpha == 0.0:
            out *= y
            out -= mu
            return out
        growth = alpha * mu
        np.log1p(growth, out=growth)
        out -= growth
        out *= y
        growth /= alpha
        out -= growth
        return out

    def unit_deviance(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """2 (y log(y / mu) - (y + 1/alpha) log((1 + alpha y) / (1 + alpha mu))), with 0 log 0 = 0.

        Written as (y - mu)^2 / (mu (1 + alpha y) (1 + alpha mu)) and two small corrections, so that neither a small
        alpha nor a mean near y cancels digits.
        """
        alpha = self.number
        y, mu = np.broadcast_arrays(np.asarray(y, dtype=float), np.asarray(mu, dtype=float))
        if alpha == 0.0:
            return 2.0 * poisson_gap(y, mu)
        gap, at_y, at_mu = y - mu, 1.0 + alpha * y, 1.0 + alpha * mu
        positive = y > 0.0
        first = y * log1p_minus(np.where(positive, gap, 0.0) / (mu * at_y))
        second = log1p_minus(alpha * gap / at_mu) / alpha
        half = gap * gap / (mu * at_y * at_mu) + first - second
        return 2.0 * np.where(positive, half, np.log1p(alpha * mu) / alpha)

    def alpha_terms(self, y: Array, mu: Array, alpha: float) -> tuple[Array, Array, Array, Array]:
        """See `alpha_terms`, the function."""
        return alpha_terms(y, mu, alpha)

    def response_log_prob(self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        """w / phi (log(Gamma(y + r) / (Gamma(r) y!)) + y log(alpha mu) - (y + r) log(1 + alpha mu)), r = 1 / alpha."""
        log_prob = _without_factorial(y, mu, self.number) - special.gammaln(np.add(y, 1.0))
        return np.asarray(weight, dtype=float) / dispersion * log_prob

    def response_tails(
        self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0, strict: bool = False
    ) -> tuple[Array, Array]:
        k = np.floor(y) if not strict else np.ceil(y) - 1.0
        return negative_binomial_tails(k, mu, self.number)

    def starting_mean(self, y: Array, average: float | None = None) -> Array:
        return 0.5 * (y + max(float(np.mean(y)) if average is None else average, 0.1))

    def sample_response(self, mu: Array, rng: np.random.Generator, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        """A Poisson draw whose mean is a gamma draw; dispersion and weight do not enter."""
        alpha = self.number
        rate = mu if alpha == 0.0 else rng.gamma(1.0 / alpha, alpha * mu)
        return rng.poisson(rate).astype(float)

    def __repr__(self) -> str:
        return f"NegativeBinomial(alpha={self.alpha!r})"


register(NegativeBinomial)


def alpha_terms(y: Array, mu: Array, alpha: float) -> tuple[Array, Array, Array, Array]:
    """Log-likelihood rows of the negative binomial and their derivatives in alpha, accurate down to alpha = 0.

    With e = (y - mu) / (1 + alpha mu), d = alpha e, chi(d) = (d - log(1 + d)) / d^2, kappa(d) = (1 - 2 chi(d)) / d, and
    Delta = s(y + 1/alpha) - s(1/alpha), where s is what Stirling's formula lacks in log Gamma,

        dl/dalpha       = e^2 chi - y / (2 (1 + alpha y)) + Delta'
        -d2l/dalpha2    = e^2 (y / (1 + alpha y) - e kappa) - y^2 / (2 (1 + alpha y)^2) - Delta''
        -d2l/dmu dalpha = (y - mu) / (1 + alpha mu)^2

    in which no large terms cancel: not for a small alpha, where the digammas of the usual form lose every digit, and
    not for large counts. At alpha = 0 the first derivative is ((y - mu)^2 - y) / 2.

    Parameters
    ----------
    y, mu : (n,) arrays
        Counts (fractional ones too), and means above 0.
    alpha : float
        0 or more.

    Returns
    -------
    loglik : (n,) array
        Without log y!, which is free of parameters.
    score, information, cross : (n,) arrays
        dl/dalpha, -d2l/dalpha2 and -d2l/(dmu dalpha).

    Raises
    ------
    ValueError
        If alpha is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families.negative_binomial import alpha_terms
    >>> loglik, score, information, cross = alpha_terms(np.array([3.0]), np.array([1.0]), 0.0)
    >>> print(score, cross)
    [0.5] [2.]
    """
    if not 0.0 <= alpha < np.inf:
        raise ValueError(f"alpha must be a finite number of 0 or more; got {alpha!r}.")
    y, mu = np.asarray(y, dtype=float), np.asarray(mu, dtype=float)
    at_y, at_mu = 1.0 + alpha * y, 1.0 + alpha * mu
    e = (y - mu) / at_mu
    d, chi, _ = _chi(y, mu, e, alpha)
    small = np.abs(d) < 0.1
    kappa = horner([2.0 * (-1) ** k / (k + 3) for k in range(18)], np.where(small, d, 0.0))
    _, first, second = _stirling_difference(y, alpha)
    squared = e * e
    share = y / at_y
    score = squared * chi - 0.5 * share + first
    bend = np.where(
        small, share - e * kappa, (2.0 * chi - 1.0 / at_y) / (alpha or 1.0)
    )  # the same without and with kappa
    information = squared * bend - 0.5 * share * share - second
    return _without_factorial(y, mu, alpha), score, information, e / at_mu


def _chi(y: Array, mu: Array, e: Array, alpha: float) -> tuple[Array, Array, Array]:
    """d = alpha e, chi(d) = (d - log(1 + d)) / d^2, and log(1 + d) = log((1 + alpha y) / (1 + alpha mu))."""
    d = alpha * e
    near = np.abs(d) < 0.4
    log_ratio = np.where(near, np.log1p(np.where(near, d, 0.0)), np.log1p(alpha * y) - np.log1p(alpha * mu))
    tiny = np.abs(d) < 1e-4
    safe = np.where(tiny, 1.0, d)
    chi = np.where(near, -log1p_minus(np.where(near, d, 0.0)), d - log_ratio) / (safe * safe)
    return d, np.where(tiny, horner([0.5, -1 / 3, 0.25, -0.2, 1 / 6], np.where(tiny, d, 0.0)), chi), log_ratio


def _without_factorial(y: Array, mu: Array, alpha: float) -> Array:
    """log(Gamma(y + r) / Gamma(r)) + y log(alpha mu) - (y + r) log(1 + alpha mu), r = 1 / alpha; also at alpha = 0."""
    y, mu = np.asarray(y, dtype=float), np.asarray(mu, dtype=float)
    if alpha == 0.0:
        return special.xlogy(y, mu) - mu
    at_mu = 1.0 + alpha * mu
    e = (y - mu) / at_mu
    d, chi, log_ratio = _chi(y, mu, e, alpha)
    value, _, _ = _stirling_difference(y, alpha)
    main = special.xlogy(y, mu) + y * log_ratio - mu * ((1.0 + alpha * y) / at_mu)
    return main - e * d * chi - 0.5 * np.log1p(alpha * y) + value


def _stirling_difference(y: Array, alpha: float) -> tuple[Array, Array, Array]:
    """s(y + 1/alpha) - s(1/alpha) and its first two derivatives in alpha, s the error of Stirling's formula."""
    at_y = 1.0 + alpha * y
    if alpha <= 0.125:  # the series in a = 1 / x holds to the last digit for x >= 8
        odd = np.array(STIRLING) * np.arange(1, 20, 2)
        even = odd[1:] * np.arange(2, 19, 2)
        a = alpha / at_y
        base = np.asarray(alpha)
        a2, base2 = a * a, np.array(alpha * alpha)
        value = a * horner(STIRLING, a2) - base * horner(STIRLING, base2)
        slope, slope0 = horner(odd, a2), horner(odd, base2)
        bend, bend0 = a * horner(even, a2), base * horner(even, base2)
        first = slope / at_y**2 - slope0
        return value, first, bend / at_y**4 - 2.0 * y * slope / at_y**3 - bend0
    r = 1.0 / alpha
    x = y + r
    growth = np.log1p(alpha * y)
    share = y / at_y
    value = special.gammaln(x) - special.gammaln(r) - (x - 0.5) * growth - y * np.log(r) + y
    slope = special.digamma(x) - special.digamma(r) - growth - 0.5 * alpha * alpha * share
    bend = special.zeta(2.0, x) - special.zeta(2.0, r) + alpha * alpha * share
    bend += 0.5 * alpha * alpha * (1.0 - 1.0 / at_y**2)
    return value, -(r**2) * slope, r**4 * bend + 2.0 * r**3 * slope
