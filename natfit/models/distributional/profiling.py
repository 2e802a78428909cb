"""Profiles of a distributional fit: what is held, on the fit's own objective in its free coefficients.

Results reach this through their model, ``fit.model.profiler(fit, which)``, so that they never import models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.models.constraints import Linear, Smooth, find, of_coordinates
from natfit.models.fit_objective import STOP
from natfit.optimize.objective import LikelihoodObjective, ParametrizedObjective
from natfit.optimize.optimizer import natural_gradient
from natfit.optimize.profile import Limit, Profile, ProfileTrouble
from natfit.parametrizations.affine import Affine
from natfit.results.cov_type import MODEL_BASED
from natfit.results.covariance import combine

if TYPE_CHECKING:
    from natfit.models.distributional.model import DistributionalRegression
    from natfit.results.distributional.results import DistributionalResults

Array = np.ndarray[Any, np.dtype[Any]]


class DistributionalProfiler:
    """The profile of one quantity of a fit: a free coefficient, a combination of these, or a function of them.

    Attributes
    ----------
    name : str
    estimate : float
    se : float
        Wald's, by the delta method.

    Raises
    ------
    ValueError
        Where there is no likelihood to profile, or no maximum, or no such coefficient.
    """

    def __init__(
        self, model: DistributionalRegression, fit: DistributionalResults, which: Any, name: str | None = None
    ):
        _refuse(fit)
        self._model, self._fit = model, fit
        self._kept = fit.fitted.kept
        self._own: int | None = None
        tie = model.constraints.tie
        names = [each for each, keep in zip(tie.names, self._kept, strict=True) if keep]
        kept = Affine(tie.matrix[:, self._kept], tie.offset, names=names)
        objective = ParametrizedObjective(LikelihoodObjective(model.likelihood, model.source), kept)
        optimum, units = fit.fitted.params[self._kept], fit._bse[self._kept]
        if callable(which):
            shown = model.exog_names if fit._labelled else None
            constraint: Any = Smooth(of_coordinates(which, self._whole, shown, optimum), units)
            self.name = name or getattr(which, "__name__", "function")
        else:
            combination, self._own, label = find(model, fit, which)
            constraint, self.name = Linear(combination[self._kept], units), label if name is None else name
        try:
            self._profile = Profile(objective, optimum, constraint, natural_gradient(finish="observed"), STOP)
        except ProfileTrouble as trouble:
            raise ValueError(f"{self.name} can't be profiled: {trouble}") from None
        self.estimate = self._profile.top.value
        cov = fit._cov[np.ix_(self._kept, self._kept)]
        self.se = float(np.sqrt(combine(cov, constraint.gradient(optimum))))

    def _whole(self, working: Array) -> Array:
        whole = np.full(self._kept.size, np.nan)
        whole[self._kept] = working
        return whole

    @property
    def others(self) -> list[Any]:
        """Names of what moves along the profile: all free coefficients but the one profiled."""
        return [name for j, name in enumerate(self._model.exog_names) if j != self._own]

    def limit(self, target: float) -> Limit:
        """Return where the signed root of the deviance reaches a quantile."""
        return self._profile.limit(target)

    def table(self, most: float, count: int) -> list[tuple[float, float, Array]]:
        """Return value, signed root and the other coefficients at spots along the profile, in order of the value."""
        rows = []
        for spot in self._profile.spots(most, count):
            whole = self._whole(spot.params)
            rows.append((spot.value, spot.root, whole if self._own is None else np.delete(whole, self._own)))
        return rows


def _refuse(fit: DistributionalResults) -> None:
    if fit._cov_kind.kind not in MODEL_BASED:
        raise ValueError(
            f"a profile rests on the likelihood, which cov_type={fit.cov_type!r} does not trust: fit with "
            "cov_type='nonrobust', or use Wald intervals"
        )
    if not fit.converged:
        raise ValueError(f"a profile starts from the maximum, which this fit did not reach: {fit.reason}")
