"""A fitted mixture as the invariance report sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from natfit.diagnostics.invariance_report.case import Case, choose_charts, given_start, start_away
from natfit.models.mixtures.coordinates import MemberCoordinates
from natfit.optimize import straight_in
from natfit.parametrizations import Identity, Parametrization, Product, Softmax
from natfit.parametrizations.base import Array, Mask
from natfit.results.mixtures.mixture import MixtureResults

NEAR = 20.0
"""Observations' worth of divergence that the start is away: a few standard errors. Farther, the empirical information,
which stands for the expected one, changes too fast for flows to be followed."""


class WeightsAsCoordinates(Parametrization):
    """The first K - 1 weights as coordinates of log-odds.

    Examples
    --------
    >>> WeightsAsCoordinates(2).to_home([0.5])
    array([0.])
    """

    def __init__(self, n_components: int):
        super().__init__([f"weight[{k}]" for k in range(n_components - 1)])
        self._odds = Softmax([f"log_odds[{k}]" for k in range(n_components - 1)])

    def to_home(self, xi: ArrayLike) -> Array:
        return self._odds.from_home(xi)

    def from_home(self, theta: ArrayLike) -> Array:
        return self._odds.to_home(theta)

    def jacobian(self, xi: ArrayLike) -> Array:
        return np.linalg.inv(self._odds.jacobian(self._odds.from_home(xi)))

    def contains(self, xi: ArrayLike) -> Mask:
        xi = self._coordinates(xi)
        return (xi > 0.0).all(axis=-1) & (xi.sum(axis=-1) < 1.0)


def mixture_case(fit: MixtureResults, parametrizations: Any, start: Any) -> Case:
    """Return the case of a fitted mixture: log-odds and natural parameters at home, the empirical information as metric.

    Parametrizations are the components' own, with log-odds, and "natural" and "weights" with natural parameters.

    Raises
    ------
    ValueError
        If a covariance model or ties leave fewer free parameters than a straight line needs.
    """
    if fit._chart is not None or len(fit._parts) > 1:
        raise ValueError(
            "the report compares mixtures of one family whose components' parameters are all free; fit covariance='VVV', "
            "with nothing held or shared"
        )
    likelihood, objective = fit.likelihood, fit.model.objective(fit.base)
    names = likelihood.layout.names
    odds, members = likelihood.weights.names, fit._parts[0].components
    K = members.n_components
    charts: dict[str, Parametrization] = {"natural": Identity(names)}
    if odds:
        charts["weights"] = Product(WeightsAsCoordinates(fit.n_components), Identity(members.names))
    for name, chart in members.family.parametrizations.items():
        if name != "natural":
            own = MemberCoordinates(members, Product(*(chart for _ in range(K))))
            charts[name] = Product(Identity(odds), own) if odds else own
    chosen = choose_charts(charts, parametrizations, len(names), "the mixture")
    if start is None:
        begin = start_away(objective, fit.base.params, names, charts, min(fit.nobs, NEAR))
    else:
        begin = given_start(names, start)
    return Case(
        title=f"{fit.n_components}-component {members.family.name} mixture, {fit.nobs:g} rows",
        objective=objective,
        names=names,
        charts=chosen,
        start=begin,
        own_moves={"straight_in_natural": straight_in(Identity(names))},
        default_moves=("gradient_descent", "straight", "midpoint", "straight_in_natural"),
    )
