"""What a race is run on: one model with its data, its optimum, the common start, and the coordinates to race in."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from natfit.families import ExponentialFamily
from natfit.metric import SingularMetric
from natfit.need import LOGLIK, METRIC, SCORE
from natfit.optimize.ball import solve_for_kl
from natfit.optimize.objective import LikelihoodObjective
from natfit.parametrizations import Identity, Parametrization

Array = np.ndarray[Any, np.dtype[Any]]

START_KL = 0.5
"""Nats a row between the fitted distribution and the default start: far enough for coordinates to bend on the way."""


@dataclass(frozen=True)
class Field:
    """A model's log-likelihood, where its maximum is, and where a race on it starts.

    Parameters
    ----------
    likelihood, source
        What a `LikelihoodObjective` is made of.
    rows : float
        Number of observations, the sum of the frequency weights.
    dispersion : float
        Held at its estimate, so that the log-likelihood is a plain function of the parameters.
    optimum : (p,) ndarray
        Home parameters of the maximum.
    home_names : tuple of str
    home : str
        Name of the home coordinates.
    title, quantity : str
        What is raced on, and what its observations are called.
    family : Family, optional
        Where the model is one distribution.
    design : (n, p) ndarray, optional
        Where it is a GLM.
    """

    likelihood: Any
    source: Any
    rows: float
    dispersion: float
    optimum: Array
    home_names: tuple[str, ...]
    home: str
    title: str
    quantity: str
    family: Any = None
    design: Any = None

    def objective(self) -> LikelihoodObjective:
        """Return the log-likelihood of all rows in home parameters, with a count of passes of its own."""
        return LikelihoodObjective(self.likelihood, self.source, lambda sums: self.dispersion)

    @cached_property
    def known_charts(self) -> Mapping[str, Parametrization]:
        """Coordinates that go by a name."""
        return self.family.parametrizations if self.family is not None else _linear_charts(self)

    def gap(self, loglik: float) -> float:
        """Return how far a log-likelihood at unit dispersion lies below the maximum, in nats."""
        return (self.highest - loglik) / self.dispersion

    @cached_property
    def highest(self) -> float:
        """The log-likelihood at the optimum, at unit dispersion."""
        return self.objective().evaluate(self.optimum, LOGLIK).loglik

    def measure(self, theta: Array) -> tuple[float, float, float]:
        """Return gap, decrement and the divergence from theta's distribution to the optimum's, over all rows.

        NaN for the decrement where the information is singular; a pass each, counted nowhere.
        """
        with np.errstate(all="ignore"):
            objective = self.objective()
            point = objective.evaluate(theta, LOGLIK | SCORE | METRIC)
            try:
                decrement = point.decrement
            except SingularMetric:
                decrement = np.nan
            return self.gap(point.loglik), decrement, objective.kl(theta, self.optimum) / self.dispersion

    def fisher(self, theta: Array) -> Array:
        """Return the Fisher information of all rows at home parameters, (p, p)."""
        with np.errstate(all="ignore"):
            point = self.objective().evaluate(theta, LOGLIK | METRIC)
        return point.metric.matrix_form() / self.dispersion

    def gaps(self, theta: Array) -> Array:
        """Return gaps at many home parameters (..., p); NaN outside the domain.

        For an exponential family the gap is the divergence of the fitted distribution from theta's times the number of
        rows, which costs no pass over the data.
        """
        flat = theta.reshape(-1, theta.shape[-1])
        with np.errstate(all="ignore"):
            if isinstance(self.family, ExponentialFamily):
                good = np.isfinite(flat).all(axis=-1) & self.family.contains(flat)
                safe = np.where(good[:, None], flat, self.optimum)
                found = np.where(good, self.rows * self.family.home_kl(self.optimum, safe), np.nan)
            else:
                objective = self.objective()
                found = np.array(
                    [
                        self.gap(objective.evaluate(row, LOGLIK).loglik) if np.isfinite(row).all() else np.nan
                        for row in flat
                    ]
                )
        return np.where(np.isfinite(found), found, np.nan).reshape(theta.shape[:-1])

    @property
    def quick(self) -> bool:
        """Whether `gaps` costs no pass over the data for each point."""
        return isinstance(self.family, ExponentialFamily)

    def default_start(self) -> Array:
        """Return home parameters half a nat a row from the optimum.

        Every parameter is raised in proportion to its standard error, until the fitted distribution's divergence from
        the start's is `START_KL` for each row, or the edge of the domain is reached.
        """
        fisher = self.fisher(self.optimum) / self.rows
        away = 1.0 / np.sqrt(fisher.diagonal())
        objective = self.objective()

        def divergence(t: float) -> float:
            return objective.kl(self.optimum, self.optimum + t * away) / self.dispersion / self.rows

        first = float(np.sqrt(2.0 * START_KL / (away @ fisher @ away)))
        t = solve_for_kl(divergence, START_KL, first, 100.0 * first)
        while t > 1e-6 * first:
            start = self.optimum + t * away
            if self.contains(start):
                return start
            t *= 0.5
        raise ValueError(f"no start was found near the optimum of {self.title}; give start=")

    def contains(self, theta: Array) -> bool:
        """Say whether home parameters lie in the domain, with a finite log-likelihood."""
        with np.errstate(all="ignore"):
            return self.objective().evaluate(theta, LOGLIK | SCORE | METRIC).inside


def make_field(model: Any, y: Any, options: Mapping[str, Any]) -> Field:
    """Bind a family with data, or a `natfit.GLM`, and find the maximum.

    Raises
    ------
    ValueError
        Where the data can't be fitted, or have no maximum.
    """
    from natfit.models.glm import GLM

    if isinstance(model, GLM):
        given = [name for name, value in {"y": y, **options}.items() if value is not None]
        if given:
            raise ValueError(f"a GLM carries its own data; leave {' and '.join(given)} out of the race")
        return _glm_field(model)
    if y is None:
        raise ValueError(f"a race of {model!r} needs data: give the observations, as in race('gaussian', heights)")
    return _distribution_field(model, y, options)


def _distribution_field(family: Any, y: Any, options: Mapping[str, Any]) -> Field:
    from natfit.models.distribution import fit_distribution

    given = {name: value for name, value in options.items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge is refused just below
        fit = fit_distribution(family, y, **given)
    _require_optimum(fit)
    base, data = fit.base, fit.base.data
    found = base.likelihood.family
    return Field(
        likelihood=base.likelihood,
        source=data.source,
        rows=data.nobs,
        dispersion=1.0,
        optimum=np.asarray(base.home, dtype=float),
        home_names=tuple(found.parameter_names),
        home=found.home,
        title=f"{found.name}, {data.nobs:.12g} observations of {data.name}",
        quantity=data.name,
        family=found,
    )


def _glm_field(model: Any) -> Field:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = model.fit(rank="raise")
    _require_optimum(fit)
    if not fit.scale > 0.0:
        raise ValueError("the model fits its data perfectly, so its log-likelihood has no maximum to race to")
    design = model.data.design
    columns = [design.matvec(unit) for unit in np.eye(design.shape[1])]
    return Field(
        likelihood=model.likelihood(fit.family),
        source=model.source,
        rows=float(model.wnobs),
        dispersion=float(fit.scale),
        optimum=np.asarray(fit.params, dtype=float),
        home_names=tuple(model.exog_names),
        home="coefficients",
        title=f"{fit.family.name} GLM with {fit.link.name} link, {model.wnobs:.12g} observations of {model.endog_names}",
        quantity=model.endog_names,
        design=np.column_stack(columns),
    )


def _require_optimum(fit: Any) -> None:
    if not fit.converged:
        raise ValueError(f"a race needs an optimum to run to, and the fit found none: {fit.reason}")


def _linear_charts(field: Field) -> Mapping[str, Parametrization]:
    """Coordinates of a GLM's coefficients, all affine: the columns scaled to unit size, and made orthonormal."""
    from natfit.parametrizations import Affine

    n = len(field.design)
    size = np.sqrt((field.design**2).sum(axis=0) / n)
    root = np.linalg.qr(field.design, mode="r") / np.sqrt(n)
    root *= np.sign(np.diag(root))[:, None]
    names = field.home_names
    return {
        field.home: Identity(names),
        "scaled": Affine(np.diag(1.0 / size), names=[f"scaled {name}" for name in names]),
        "orthogonal": Affine(np.linalg.inv(root), names=[f"orthogonal {j + 1}" for j in range(len(names))]),
    }
