"""Moves along geodesics of the Fisher metric: to second order, in closed form, or by solving the geodesic equation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from natfit.metric import Gram
from natfit.need import LOGLIK, METRIC
from natfit.optimize.moves import Home, Move, Turn
from natfit.optimize.objective import Objective, Point

Array = np.ndarray[Any, np.dtype[Any]]
MetricAt = Callable[[Array], Array | None]
"""From parameters to the Fisher information there, (p, p), up to a constant factor; None outside the domain."""

STENCIL = float(np.finfo(float).eps) ** 0.2
"""Step of the five-point difference in standard errors: its truncation h^4 and its rounding eps/h are then equal."""

MOST_METRICS = 20_000
"""Evaluations of the metric after which a geodesic counts as leaving the domain: an ordinary one takes hundreds."""


def acceleration(metric_at: MetricAt, params: Array, velocity: Array) -> Array | None:
    """Return the second derivative of the geodesic through ``params``: -Gamma(v, v), with Christoffel symbols Gamma.

    F a = v' dF v / 2 - (dF v) v: component l of the right is sum_ij (dF_ij/dxi_l / 2 - dF_lj/dxi_i) v_i v_j. The
    derivatives of F are five-point differences. None where the geodesic has left the domain.

    Notes
    -----
    Amari (2016), Information Geometry and Its Applications, section 5.2. A constant factor of F, such as the number of
    observations, cancels.

    Examples
    --------
    In the mean mu of a Poisson distribution F = 1/mu, and the root of mu moves uniformly: mu'' = v^2 / (2 mu).

    >>> acceleration(lambda mu: 1.0 / mu[:, None], np.array([2.0]), np.array([1.0])).round(9)
    array([0.25])
    """
    here = metric_at(params)
    if here is None or not np.all(np.isfinite(velocity)):
        return None
    slopes = metric_derivatives(metric_at, params, here)
    if slopes is None:
        return None
    bent = 0.5 * np.einsum("lij,i,j->l", slopes, velocity, velocity)
    bent -= np.einsum("ilj,i,j->l", slopes, velocity, velocity)
    return Gram(here).solve(bent)


def metric_derivatives(metric_at: MetricAt, params: Array, here: Array) -> Array | None:
    """Return dF/dxi_l as (p, p, p), l first, by five-point differences; None where they leave the domain."""
    diagonal = here.diagonal()
    if not np.all(diagonal > 0.0):
        return None
    slopes = np.empty((params.size, params.size, params.size))
    for l, scale in enumerate(1.0 / np.sqrt(diagonal)):
        # Next to an edge of the domain a standard error is no measure: the step shrinks until well inside.
        for shrink in (1.0, 1e-3, 1e-6):
            slope = _five_point(metric_at, params, l, STENCIL * scale * shrink)
            if slope is not None:
                break
        else:
            return None
        slopes[l] = slope
    return slopes


def _five_point(metric_at: MetricAt, params: Array, l: int, h: float) -> Array | None:
    """Differentiate F along coordinate l: (8 (F(h) - F(-h)) - (F(2h) - F(-2h))) / (12 h)."""
    total: Array | float = 0.0
    for k, weight in ((-2, 1.0), (2, -1.0), (-1, -8.0), (1, 8.0)):
        there = params.copy()
        there[l] += k * h
        metric = metric_at(there)
        if metric is None:
            return None
        total = total + weight * metric
    # By the distance really gone, which rounding of the coordinate makes differ from h.
    gone = ((params[l] + h) - (params[l] - h)) / 2.0
    return np.asarray(total) / (12.0 * gone) if gone > 0.0 else None


class Geodesic:
    """The geodesic from ``start`` with a velocity, t -> params, by solving xi'' = -Gamma(xi', xi').

    Parameters
    ----------
    metric_at : callable
        From params to the metric, (p, p), or None outside the domain.
    start, velocity : (p,) ndarray
    rtol : float
        Relative tolerance of `scipy.integrate.solve_ivp`.

    Examples
    --------
    >>> curve = Geodesic(lambda mu: 1.0 / mu[:, None] if mu[0] > 0 else None, np.array([1.0]), np.array([2.0]))
    >>> curve(0.5).round(9)  # (1 + t)^2
    array([2.25])
    """

    def __init__(self, metric_at: MetricAt, start: Array, velocity: Array, rtol: float = 1e-10):
        self._metric_at, self.start, self.velocity, self.rtol = metric_at, start, velocity, rtol
        self._end = 0.0
        self._dense: Callable[[float], Array] | None = None
        self._count = 0

    def __call__(self, t: float) -> Array:
        """Return the parameters at t >= 0; NaN where the geodesic has left the domain before."""
        return self.state(t)[0]

    def state(self, t: float) -> tuple[Array, Array]:
        """Return parameters and velocity at t."""
        if t > self._end:
            self._solve(t)
        if t == 0.0:
            return self.start, self.velocity
        if t > self._end or self._dense is None:
            nowhere = np.full_like(self.start, np.nan)
            return nowhere, nowhere
        both = self._dense(t)
        return both[: self.start.size], both[self.start.size :]

    def _solve(self, t: float) -> None:
        from scipy.integrate import solve_ivp

        here = self._metric_at(self.start)
        if here is None or not np.all(np.isfinite(self.velocity)):
            return
        self._count = 0
        # Absolute tolerances in the units of each coordinate, so that the curve does not depend on them.
        scale = 1.0 / np.sqrt(here.diagonal())
        speed = np.sqrt(self.velocity @ here @ self.velocity)
        atol = self.rtol * np.concatenate([scale, speed * scale]) + np.finfo(float).tiny
        try:
            with np.errstate(all="ignore"):
                both = np.concatenate([self.start, self.velocity])
                found = solve_ivp(
                    self._rates, (0.0, t), both, method="DOP853", dense_output=True, rtol=self.rtol, atol=atol
                )
        except _Left:
            return
        if found.success:
            self._end, self._dense = t, found.sol

    def _rates(self, t: float, both: Array) -> Array:
        params, velocity = both[: self.start.size], both[self.start.size :]
        self._count += 1 + 4 * params.size
        bend = acceleration(self._metric_at, params, velocity) if self._count < MOST_METRICS else None
        if bend is None:
            raise _Left
        return np.concatenate([velocity, bend])


class _Left(ArithmeticError):
    """A geodesic has left the domain."""


def expected_metric(objective: Objective) -> MetricAt:
    """Return what evaluates the expected information of an objective."""

    def metric_at(params: Array) -> Array | None:
        if not np.isfinite(params).all():
            return None
        point = objective.evaluate(params, LOGLIK | METRIC)
        return point.metric.matrix_form() if point.inside else None

    return metric_at


class GeodesicCorrected(Move):
    """Move straight with the Fisher-Rao geodesic's second-order term: ``params + t v - t^2 Gamma(v, v) / 2``.

    It follows the geodesic to third order in t, so that paths in different coordinates agree to second order in the
    step. It costs 1 + 4 p evaluations of the expected information at each point, whatever lengths are tried.

    Notes
    -----
    Transtrum & Sethna (2012), Improvements to the Levenberg-Marquardt algorithm, arXiv:1201.5885, call it geodesic
    acceleration.
    """

    def curve(
        self, objective: Objective, point: Point, vector: Array, turn: Turn | None = None
    ) -> Callable[[float], Array]:
        bend = acceleration(expected_metric(objective), point.params, vector)
        if bend is None:
            return lambda t: np.full_like(point.params, np.nan)
        return lambda t: point.params + t * vector + 0.5 * t * t * bend


geodesic_corrected = GeodesicCorrected()


class FisherRao(Move):
    """Move along the geodesic of the expected information, the shortest path between distributions.

    Parameters
    ----------
    family : optional
        Where the objective's home parameters are a family's. Where it has ``fisher_rao_geodesic(theta, velocity, t)``,
        in home parameters, that closed form is taken; otherwise the geodesic equation is solved with its ``fisher``,
        that of one observation. Without a family it is solved with the objective's own metric, which takes hundreds of
        passes over the data for a step.
    rtol : float
        Of the solution of the geodesic equation.

    Notes
    -----
    Rao (1945), Bulletin of the Calcutta Mathematical Society 37; Amari (2016), Information Geometry and Its
    Applications, sections 5.2 and 5.3. `natfit.optimize.geodesics.Geodesic` is the solver.

    Examples
    --------
    >>> from natfit.families import Poisson
    >>> point = Point(np.array([1.0]), {"loglik": 0.0})
    >>> fisher_rao(Poisson())(None, point, np.array([2.0]), 0.5)
    array([2.25])
    """

    def __init__(self, family: Any = None, rtol: float = 1e-10):
        if not 1e-13 <= rtol < 1.0:
            raise ValueError(f"rtol must lie between 1e-13 and 1, got {rtol}")
        self.family = family
        self.rtol = rtol

    def curve(
        self, objective: Objective, point: Point, vector: Array, turn: Turn | None = None
    ) -> Callable[[float], Array]:
        if self.family is None:
            return Geodesic(expected_metric(objective), point.params, vector, self.rtol)
        home = Home(objective)
        theta, velocity = home.to_home(point.params, vector)
        self._refuse_other_models(theta, point)
        closed = getattr(self.family, "fisher_rao_geodesic", None)
        if closed is None:
            numeric = Geodesic(_family_metric(self.family), theta, velocity, self.rtol)
            return lambda t: home.from_home(numeric(t))
        return lambda t: home.from_home(closed(theta, velocity, t))

    def _refuse_other_models(self, theta: Array, point: Point) -> None:
        size = getattr(self.family, "size", theta.size)
        if theta.size != size or point.params.size != size:
            raise ValueError(
                f"the Fisher-Rao geodesic of {self.family!r} is one of its {size} parameters, but the model has "
                f"{point.params.size} ({theta.size} at home); use fisher_rao() without a family"
            )


def _family_metric(family: Any) -> MetricAt:
    def metric_at(theta: Array) -> Array | None:
        if not np.isfinite(theta).all() or not bool(np.all(family.contains(theta))):
            return None
        return family.fisher(theta)

    return metric_at


def fisher_rao(family: Any = None, rtol: float = 1e-10) -> FisherRao:
    """Return the move along Fisher-Rao geodesics; see `FisherRao`."""
    return FisherRao(family, rtol)
