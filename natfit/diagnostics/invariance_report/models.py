"""The kinds of models that the invariance report knows, each with the adapter that makes a `Case` of it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from natfit.diagnostics.invariance_report.case import Case, choose_charts, given_start, start_away
from natfit.diagnostics.invariance_report.mixture import mixture_case
from natfit.families import ExponentialFamily
from natfit.likelihoods.distribution import DistributionLikelihood
from natfit.models.distribution import fit_distribution
from natfit.models.distribution_data import DistributionData, bind
from natfit.models.glm import GLM
from natfit.optimize import LikelihoodObjective, straight_in
from natfit.parametrizations import Affine, Identity, Parametrization, from_function
from natfit.parametrizations.base import Array
from natfit.results.mixtures.mixture import MixtureResults

ALWAYS = ("gradient_descent", "straight", "midpoint")
"""What is compared for every model: the plain gradient, and the natural gradient along two moves that use coordinates."""


PERFECT = (1e3 * np.finfo(float).eps) ** 2
"""Share of a mean's square under which a variance is rounding: the model then fits its rows perfectly."""


def make_case(model: Any, data: Any, parametrizations: Any, start: Any, freq_weights: Any, missing: str) -> Case:
    """Return what the report needs of a model: of a `Case` itself, a GLM, or a family with observations.

    Raises
    ------
    ValueError, TypeError
        In one sentence, where it can't be compared.
    """
    if isinstance(model, Case | GLM | MixtureResults) and (data is not None or freq_weights is not None):
        raise ValueError(f"a {type(model).__name__} carries its own rows and weights; leave data and freq_weights out")
    if isinstance(model, Case):
        charts = choose_charts(model.charts, parametrizations, len(model.names), model.title)
        begin = model.start if start is None else given_start(model.names, start)
        return Case(**{**vars(model), "charts": charts, "start": begin})
    if isinstance(model, MixtureResults):
        return mixture_case(model, parametrizations, start)
    if isinstance(model, GLM):
        return glm_case(model, parametrizations, start)
    if data is None:
        raise ValueError("a family is compared on observations: give data, as in invariance('gamma', rain['mm'])")
    return family_case(model, data, parametrizations, start, freq_weights, missing)


def family_case(
    family: Any, data: Any, parametrizations: Any, start: Any, freq_weights: Any, missing: str = "none"
) -> Case:
    """Return the case of one distribution for all observations, in the family's parametrizations.

    Examples
    --------
    >>> case = family_case("poisson", [1, 3, 2], None, None, None)
    >>> case.title, list(case.charts)
    ('poisson, 3 observations', ['rate', 'log_rate', 'natural', 'mean'])
    """
    found, bound = bind(family, data, freq_weights, None, missing)
    charts = choose_charts(found.parametrizations, parametrizations, found.size, found.name)
    objective = LikelihoodObjective(DistributionLikelihood(found), bound.source)
    if start is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = fit_distribution(found, bound.source)
        if not fit.converged:
            raise ValueError(
                f"no start was found, since the fit of {found.name} did not converge: {fit.reason}; give start"
            )
        begin = start_away(objective, np.asarray(fit.params, dtype=float), found.parameter_names, charts, bound.nobs)
    else:
        begin = found.to_home(given_start(found.parameter_names, start))
    return Case(
        title=_title(found.name, bound),
        objective=objective,
        names=found.parameter_names,
        charts=charts,
        start=begin,
        family=found,
        ruler=found.parametrization("natural") if _wraps(found, begin) else None,
        **_moves_of(found),
    )


def _title(name: str, bound: DistributionData) -> str:
    of = "" if bound.name == "y" else f" of {bound.name}"
    rows = f"{bound.n_missing} row{'s' if bound.n_missing > 1 else ''}"
    return f"{name}, {bound.nobs:g} observations{of}" + (
        f" ({rows} with missing values left out)" if bound.n_missing else ""
    )


def _wraps(family: Any, theta: Array) -> bool:
    """Say whether a home parameter is an angle: a full turn leads to the same distribution."""
    if not isinstance(family, ExponentialFamily):
        return False
    turned = theta + 2.0 * np.pi * np.eye(theta.size)
    inside = turned[np.asarray(family.contains(turned))]
    eta = family.natural_from_home(theta)
    return bool(np.any(np.abs(family.natural_from_home(inside) - eta).max(axis=-1) <= 1e-9 * np.abs(eta).max()))


def _moves_of(family: Any) -> dict[str, Any]:
    """Return the coordinate-free moves of a family: its geodesics, or straight in its home parameters."""
    closed = ("fisher_rao",) if hasattr(family, "fisher_rao_geodesic") else ()
    if isinstance(family, ExponentialFamily):
        return {"default_moves": (*ALWAYS, "e_geodesic", "m_geodesic", *closed)}
    name = f"straight_in_{family.home}"
    own = {name: straight_in(Identity(family.parameter_names))}
    return {"own_moves": own, "default_moves": (*ALWAYS, name, *closed)}


def glm_case(model: GLM, parametrizations: Any, start: Any) -> Case:
    """Return the case of a GLM, its coefficients being the home parameters.

    By default they are compared as they are, in units of their standard errors, rotated, and under a nonlinear map. The
    dispersion is held at the fit's.

    Examples
    --------
    >>> X = np.column_stack([np.ones(4), [0.0, 1.0, 2.0, 3.0]])
    >>> case = glm_case(GLM([1, 2, 4, 9], X, family="poisson"), None, None)
    >>> case.title, list(case.charts)
    ('poisson GLM, 4 rows', ['coefficients', 'scaled', 'rotated', 'nonlinear'])
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = model.fit()
    names = tuple(model.exog_names)
    estimate = np.asarray(fit.params, dtype=float)
    aliased = [name for name, value in zip(names, estimate, strict=True) if not np.isfinite(value)]
    if aliased:
        raise ValueError(
            f"the Fisher information is singular, as {', '.join(aliased)} can't be told from the columns before; leave "
            f"{'it' if len(aliased) == 1 else 'them'} out of the design"
        )
    if not fit.converged:
        raise ValueError(f"the model can't be compared, since its fit did not converge: {fit.reason}")
    dispersion = float(fit.scale)
    mu = np.asarray(fit.fittedvalues, dtype=float)
    if not np.max(dispersion * fit.family.variance(mu)) > PERFECT * np.max(mu**2):
        raise ValueError("the model fits its rows perfectly, so that there are no standard errors to measure spread in")
    objective = LikelihoodObjective(model.likelihood(fit.family), model.source)
    errors = np.asarray(fit.bse, dtype=float)
    begin = given_start(names, start) if start is not None else None
    if begin is None:
        begin = start_away(objective, estimate, names, {}, model.wnobs, dispersion)
    charts = choose_charts(coefficient_charts(names, errors, estimate, begin), parametrizations, len(names), "the GLM")
    return Case(
        title=f"{getattr(model.family, 'name', 'GLM')} GLM, {model.nobs:g} rows",
        objective=objective,
        names=names,
        charts=charts,
        start=begin,
        own_moves={"straight_in_coefficients": straight_in(Identity(names))},
        default_moves=(*ALWAYS, "straight_in_coefficients"),
        dispersion=dispersion,
    )


def coefficient_charts(names: tuple[str, ...], scale: Array, centre: Array, start: Array) -> dict[str, Parametrization]:
    """Return coordinates of a coefficient vector: itself, scaled, rotated, and bent by theta = centre + w sinh(xi).

    Parameters
    ----------
    names : tuple of str
    scale : (p,) ndarray
        Units of the scaled coordinates; positive.
    centre, start : (p,) ndarray
        The bent coordinates are bent between them: w is their distance, or the scale where that is larger.

    Examples
    --------
    >>> charts = coefficient_charts(("a", "b"), np.ones(2), np.zeros(2), np.ones(2))
    >>> charts["nonlinear"].to_home(np.zeros(2))
    array([0., 0.])
    """
    width = np.maximum(np.abs(start - centre), scale)
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(len(names), len(names))))[0]
    bent = from_function(
        lambda xi: centre + width * np.sinh(xi),
        lambda theta: np.arcsinh((theta - centre) / width),
        lambda xi: (width * np.cosh(xi))[..., None] * np.eye(len(names)),
        names=[f"bent[{name}]" for name in names],
        at=np.stack([np.zeros(len(names)), np.arcsinh((start - centre) / width)]),
        vectorized=True,
    )
    return {
        "coefficients": Identity(names),
        "scaled": Affine(np.diag(scale), names=[f"scaled[{name}]" for name in names]),
        "rotated": Affine(turned, names=[f"rotated{i}" for i in range(len(names))]),
        "nonlinear": bent,
    }
