"""Profiles of a fitted GLM: what is held, in which coordinates, and on which objective.

Results reach this through their model, ``fit.model.profiler(fit, which)``, so that they never import models. What is held
is held by a parametrization wrapped round the fit's own objective; nothing of it is particular to GLMs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import sub
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.families.negative_binomial import NegativeBinomial
from natfit.models.bias_reduction import Reduction
from natfit.models.constraints import DIFFERENCE, Linear, Smooth, find, of_coordinates
from natfit.models.fit_objective import STOP, as_fit
from natfit.models.fitting import Settings, fit_glm
from natfit.optimize.profile import Limit, Profile, ProfileTrouble, Running, Spot
from natfit.results.covariance import combine

if TYPE_CHECKING:
    from natfit.models.glm import GLM
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]

SHAPES: dict[str, tuple[Callable[[float], float], int]] = {
    "alpha": (lambda v: float(np.exp(v)), 1),
    "log(alpha)": (float, 1),
    "1/alpha": (lambda v: float(np.exp(-v)), -1),
}
"""What may be asked of a negative binomial's shape: from log alpha to it, and whether it rises (1) or falls (-1) with it."""


class Profiler:
    """The profile of one quantity of a fit, in the quantity's own terms.

    Attributes
    ----------
    name : str
    estimate : float
        Infinite where the coefficient is separated.
    se : float
        Wald's, by the delta method.
    """

    def __init__(self, model: GLM, fit: GLMResults, which: Any, name: str | None = None):
        self._model, self._results = model, fit
        self._fit = as_fit(model, fit)
        self._show: Callable[[float], float] = float
        self._rises, self._shape = 1, False
        self._own: int | None = None
        self._ends: dict[int, Limit] = {}
        running: Running | None = None
        if callable(which):
            names = self._names if model.data.labelled else None
            constraint: Any = Smooth(of_coordinates(which, self._fit.home, names, self._fit.optimum), self._fit.units)
            self.name = name or getattr(which, "__name__", "function")
            if fit.fitted.separation is not None:
                raise ValueError("a function of parameters is profiled from finite estimates, and some are separated")
        else:
            constraint, running = self._linear(which, name)
        try:
            self._profile = Profile(
                self._fit.objective, self._fit.optimum, constraint, self._fit.optimizer, STOP, running
            )
        except ProfileTrouble as trouble:
            raise ValueError(f"{self.name} can't be profiled: {trouble}") from None
        top = self._profile.top
        self.estimate = next(iter(self._ends)) * np.inf if self._ends else self._show(top.value)
        self.se = np.nan if self._ends else self._standard_error(constraint.gradient(top.params))

    @property
    def _names(self) -> list[Any]:
        return [*self._results._coefficients, "alpha"][: self._fit.kept.size + self._fit.has_alpha]

    @property
    def others(self) -> list[Any]:
        """Names of what moves along the profile: all parameters but the one profiled."""
        return [name for j, name in enumerate(self._names) if j != self._own]

    def _standard_error(self, gradient: Array) -> float:
        """Return Wald's standard error by the delta method; alpha's part is that of the joint observed information."""
        fit, results = self._fit, self._results
        if fit.has_alpha and gradient[-1]:
            kept = np.append(fit.kept, True)
            cov = results.shape.cov[np.ix_(kept, kept)]
            gradient = np.append(gradient[:-1], gradient[-1] / results.shape.alpha)  # from log alpha to alpha
        else:
            cov, gradient = results._cov[np.ix_(fit.kept, fit.kept)], gradient[: int(fit.kept.sum())]
        top, h = self._profile.top.value, DIFFERENCE * self._profile.unit
        rate = (self._show(top + h) - self._show(top - h)) / (2.0 * h)
        return abs(rate) * float(np.sqrt(combine(cov, gradient)))

    def _linear(self, which: Any, name: str | None) -> tuple[Linear, Running | None]:
        """Return what holds a coefficient, a shape or a combination, and where it runs off to if it does."""
        fit = self._fit
        if isinstance(which, str) and which in SHAPES and which not in self._model.exog_names:
            self._show, self._rises = SHAPES[which]
            self._shape = True
            self.name, self._own = name or which, fit.kept.size
            self._require_shape(which)
            return Linear(np.eye(fit.optimum.size)[-1], fit.units), None
        combination, self._own, label = find(self._model, self._results, which)
        self.name = label if name is None else name
        working = np.append(combination[fit.kept], np.zeros(int(fit.has_alpha)))
        return Linear(working, np.where(np.isfinite(fit.units), fit.units, 1.0)), self._of_separated(combination)

    def _require_shape(self, which: str) -> None:
        shape = self._results.shape
        if shape is None:
            raise ValueError(f"{which} was not estimated: fit with family=NegativeBinomial(alpha='ml')")
        if shape.boundary or not self._fit.has_alpha:
            raise ValueError(
                "alpha lies on its boundary 0, where the likelihood-ratio statistic has another law: no profile of it; the "
                "Poisson family fits no worse"
            )

    def _of_separated(self, combination: Array) -> Running | None:
        """Where a fit is separated, take Firth's finite estimates to begin from; note the end that runs off to infinity."""
        separation = self._results.fitted.separation
        if separation is None:
            return None
        model, fit = self._model, self._results
        settings = Settings(reduction=Reduction("firth", float(fit.scale)))
        likelihood = model.likelihood(fit.family)
        rank = partial(sub, model.wnobs)
        finite = fit_glm(likelihood, model.source, model.data.mean(), rank, settings).params[self._fit.kept]
        side = 0
        if np.any(combination[separation.columns]):
            # Where the optimizer was going: of all directions of separation the one that it took.
            side = 1 if float(combination[self._fit.kept] @ (self._fit.optimum - finite)) > 0.0 else -1
            self._ends[side] = Limit(side * np.inf, "the likelihood rises for ever on that side (separation)")
        return Running(side, finite)

    def limit(self, target: float) -> Limit:
        """Return where the signed root of the deviance reaches a quantile, in the quantity's own terms."""
        side = int(np.sign(target)) * self._rises
        end = self._ends.get(side)
        if end is None and self._shape and side < 0:
            end = self._boundary(abs(target))
        if end is None:
            end = self._profile.limit(side * abs(target))
        with np.errstate(over="ignore"):
            return Limit(self._show(end.value), end.note)

    def _boundary(self, size: float) -> Limit | None:
        """Return the limit alpha = 0 where the Poisson model lies within a quantile's reach."""
        poisson = self._model.refit(self._results, family=NegativeBinomial(0.0))
        if 2.0 * (self._profile.best - poisson.fitted.point.loglik) > size**2:
            return None
        return Limit(-np.inf, "the boundary alpha = 0, the Poisson model, lies inside")

    def table(self, most: float, count: int) -> list[tuple[float, float, Array]]:
        """Return value, signed root and the other parameters at spots along the profile, in order of the value."""
        rows = []
        for spot in self._spots(most, count):
            home = self._fit.home(spot.params)
            home[: self._fit.kept.size][~self._fit.kept] = np.nan
            others = home if self._own is None else np.delete(home, self._own)
            rows.append((self._show(spot.value), self._rises * spot.root, others))
        return rows[:: self._rises]

    def _spots(self, most: float, count: int) -> list[Spot]:
        return self._profile.spots(most, count, [side for side in (-1, 1) if side not in self._ends])
