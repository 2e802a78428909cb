"""One distribution of a family, with its parameters: what a fitted one can be asked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from natfit.families.base import ExponentialFamily
from natfit.families.expectation import expectation
from natfit.families.family import Coordinates, Family

Array = np.ndarray[Any, np.dtype[Any]]

FAR = (1e80, 1e90)
"""Where the tail of a density is looked at: its power there decides which moments exist."""


class FrozenDistribution:
    """A family at one value of its parameters.

    Parameters
    ----------
    family : Family
    params : (q,) array_like
    parametrization : str or Parametrization, optional
        That of ``params``; the family's home parameters where left out.

    Examples
    --------
    >>> from natfit.families import Poisson
    >>> frozen = FrozenDistribution(Poisson(), [2.0])
    >>> frozen.log_prob([0.0, 1.0]).round(4)
    array([-2.    , -1.3069])
    >>> frozen.mean(), frozen.var(), round(frozen.kl(FrozenDistribution(Poisson(), [1.0])), 4)
    (2.0, 2.0, 0.3863)
    """

    def __init__(self, family: Family, params: ArrayLike, parametrization: Coordinates = None):
        self.family = family
        self.home: Array = family.to_home(params, parametrization)

    def params(self, parametrization: Coordinates = None) -> dict[str, float]:
        """Return the parameters by name, home ones by default."""
        names = self.family.parametrization(parametrization).names
        return dict(zip(names, self.family.from_home(self.home, parametrization).tolist(), strict=True))

    def log_prob(self, y: ArrayLike) -> Array:
        """Log-density or log-mass, in nats; minus infinity outside the support."""
        return self.family.log_prob(y, self.home)

    def sample(self, n: int, rng: np.random.Generator | int | None = None) -> Array:
        """Draw n observations, (n, *event); ``rng`` is a generator or a seed."""
        return self.family.sample(self.home, np.random.default_rng(rng), int(n))

    def kl(self, other: Any) -> float:
        """Kullback-Leibler divergence of another distribution of the family from this one, E[log p - log q], in nats.

        Parameters
        ----------
        other : FrozenDistribution, or a result that has one as ``distribution``
        """
        other = getattr(other, "distribution", other)
        if not isinstance(other, FrozenDistribution) or other.family != self.family:
            what = getattr(other, "family", type(other).__name__)
            raise ValueError(f"kl needs another distribution of the family {self.family!r}, not {what!r}")
        family = self.family
        if isinstance(family, ExponentialFamily):
            return float(family.home_kl(self.home, other.home))
        return self.expect(lambda y: family.home_log_prob(y, self.home) - family.home_log_prob(y, other.home))

    def entropy(self) -> float:
        """E[-log p], in nats: differential entropy, or Shannon's for discrete families."""
        if isinstance(self.family, ExponentialFamily):
            return float(self.family.entropy(self.home))
        return self.expect(lambda y: -self.family.home_log_prob(y, self.home))

    def expect(self, function: Any) -> float:
        """Return E[function(y)], by a sum or by quadrature; one-dimensional families only."""
        return float(expectation(self.family, function, self.home))

    def mean(self) -> float:
        """Return E[y]; infinite where the tail is too heavy. One-dimensional families only."""
        if isinstance(self.family, ExponentialFamily) and "y" in self.family.statistic_names:
            moments = self.family.mean_from_natural(self.family.natural_from_home(self.home))
            return float(moments[self.family.statistic_names.index("y")])
        return self.expect(lambda y: y) if self._has_moment(1) else np.inf

    def var(self) -> float:
        """Return the variance of y; infinite where the tail is too heavy. One-dimensional families only."""
        family = self.family
        if isinstance(family, ExponentialFamily) and "y" in family.statistic_names:
            place = family.statistic_names.index("y")
            return float(family.fisher_natural(family.natural_from_home(self.home))[place, place])
        if not self._has_moment(2):
            return np.inf
        mean = self.mean()
        return self.expect(lambda y: (y - mean) ** 2)

    def _has_moment(self, order: int) -> bool:
        """Say whether E|y|^order is finite, from the power of the density's tail."""
        support = self.family.support
        if support.discrete or support.event_shape:
            return True
        for end in (support.low, support.high):
            if np.isfinite(end):
                continue
            y = np.copysign(FAR, end)
            with np.errstate(all="ignore"):
                near, far = self.family.home_log_prob(y, self.home)
            if (
                np.isfinite(far) and (far - near) / np.log(FAR[1] / FAR[0]) + order >= -1.0 - 1e-6
            ):  # to rounding of logarithms
                return False
        return True

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value:.6g}" for name, value in self.params().items())
        return f"{type(self.family).__name__}({shown})"
