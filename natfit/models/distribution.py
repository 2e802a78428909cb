"""Fitting one distribution: any family, in any parametrization, by one engine."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from natfit.data.checks import did_you_mean
from natfit.families import Family
from natfit.likelihoods.distribution import DistributionLikelihood
from natfit.models.binding import progress_bar
from natfit.models.distribution_data import DistributionData, bind
from natfit.models.distribution_start import Reaching, given_start, starting_point
from natfit.optimize.loop import Outcome, OutsideDomain
from natfit.optimize.objective import LikelihoodObjective, Objective, ParametrizedObjective
from natfit.optimize.optimizer import Optimizer, as_optimizer, run
from natfit.optimize.steps import Backtracking
from natfit.optimize.stopping import Decrement
from natfit.parametrizations.affine import Affine, Identity
from natfit.parametrizations.base import Parametrization
from natfit.parametrizations.composed import Composed
from natfit.parametrizations.fixed import Fixed
from natfit.results.distribution import DistributionResults

Array = np.ndarray[Any, np.dtype[Any]]

FARTHEST = 1.0
"""Nats for each observation that a unit step may move the distribution: one is far, but still in sight."""


@dataclass(frozen=True)
class FittedDistribution:
    """What a fit leaves behind, whatever the coordinates it is shown in.

    Parameters
    ----------
    likelihood, data
    coordinates : Parametrization
        The free parameters, in which it was fitted.
    parametrization : str
        The name of their parametrization.
    held : mapping of str to float
        Parameters that were held, by name.
    params : (q,) ndarray
        The free parameters' estimates.
    home : (p,) ndarray
        The same in the family's home parameters.
    outcome : Outcome
        Of the optimizer.
    covariances : mapping of str to (q, q) ndarray
        Of the free parameters, by their kind: those that are known without the observations.
    """

    likelihood: DistributionLikelihood
    data: DistributionData
    coordinates: Parametrization
    parametrization: str
    held: Mapping[str, float]
    params: Array
    home: Array
    outcome: Outcome
    covariances: Mapping[str, Array] = field(default_factory=dict)

    def save(self, result: DistributionResults, path: Any) -> None:
        """Write a result to a file: see `natfit.models.storage.storing.save`."""
        from natfit.models.storage.storing import save

        save(result, path)


def fit_distribution(
    family: Any,
    y: Any,
    *,
    parametrization: str | Parametrization | None = None,
    freq_weights: Any = None,
    fixed: Mapping[str, float] | None = None,
    start_params: Any = None,
    optimizer: Any = None,
    tol: float | None = None,
    maxiter: int = 100,
    missing: str = "none",
    cov_type: str = "nonrobust",
    progress: bool = False,
    n_jobs: int | None = None,
    data: Any = None,
) -> DistributionResults:
    """Fit a distribution to observations by maximum likelihood, with the natural gradient.

    Parameters
    ----------
    family : str, class or Family
        ``"gamma"``, ``nf.families.Weibull(shape=2)`` with its known constants, or a `Family` of your own, exponential or
        not. The ``dim`` of vectors and matrices is taken from the observations.
    y : (n,), (n, d) or (n, d, d) array_like, or str
        The observations: an array, a Series or frame of any library, a `natfit.data` source whose blocks have a column
        ``y``, or with ``data`` the name of a column (a list of names for vectors).
    parametrization : str or Parametrization, optional
        The coordinates to fit and report in: one of ``family.parametrizations``, or your own. The family's home
        parameters where left out.
    freq_weights : (n,) array_like or str, optional
        How many identical observations a row stands for.
    fixed : mapping of str to float, optional
        Parameters, by their names in the parametrization, that are held at a value.
    start_params : (q,) array_like or mapping, optional
        Free parameters to start from. By default an exponential family starts at its closed estimate, any other one at
        its ``starting_parameters(y, freq_weights)`` if it has such a method, else at the likeliest of its examples.
    optimizer : Optimizer or Direction, optional
        Such as ``nf.optimize.gradient_descent()``.
    tol : float, optional
        Stop when the decrement falls below this; 1e-12, a millionth of a standard error, by default.
    maxiter : int
    missing : {"none", "drop", "raise"}
        What to do about rows with missing values. Under "none" they are refused too.
    cov_type : {"nonrobust", "EIM", "OIM", "HC0"}
        Standard errors from the expected information, the observed information, or the sandwich of both.
    progress : bool
        Show a bar with the decrement.
    n_jobs : int, optional
        Threads for large data; all processors by default. No number depends on it.
    data : DataFrame, mapping of arrays, or tables of `natfit.data` such as ``from_parquet``, optional
        Where ``y`` and ``freq_weights`` are names of columns.

    Returns
    -------
    DistributionResults
        Also where the fit did not converge; a ConvergenceWarning says why.

    Raises
    ------
    ValueError
        Where observations lie outside the support, an argument is unknown, the data have no maximum-likelihood
        estimate, or the parametrization is singular at it.

    Examples
    --------
    >>> import natfit as nf
    >>> fit = nf.fit_distribution("gamma", [1.2, 3.4, 2.2, 0.7], parametrization="mean_shape")
    >>> fit.params.round(4)
    mean     1.8750
    shape    3.1129
    dtype: float64
    >>> fit.to("shape_rate").params.round(4)
    shape    3.1129
    rate     1.6602
    dtype: float64
    """
    found, bound = bind(family, y, freq_weights, data, missing, n_jobs)
    likelihood = DistributionLikelihood(found)
    coordinates, name, held = resolve_coordinates(found, parametrization, fixed)
    chosen = default_optimizer(found, coordinates, bound.nobs) if optimizer is None else as_optimizer(optimizer)
    stop = Decrement() if tol is None else Decrement(tol)
    if start_params is None:
        start = starting_point(likelihood, bound, coordinates)
    else:
        start = given_start(found, coordinates, start_params)
    coordinates.require_regular(start)
    objective = objective_in(likelihood, bound, coordinates)
    with np.errstate(all="ignore"), progress_bar(progress) as callback:
        try:
            outcome = run(chosen, objective, start, stop=stop, max_iterations=int(maxiter), callback=callback)
        except OutsideDomain:
            raise ValueError(
                f"the observations have no finite log-likelihood, or no information, at the start "
                f"({_shown(coordinates, start)}); give other start_params"
            ) from None
    coordinates.require_regular(outcome.params)
    home = coordinates.to_home(outcome.params)
    fitted = FittedDistribution(likelihood, bound, coordinates, name, held, outcome.params, home, outcome)
    if not outcome.converged:
        from natfit.results.warnings import ConvergenceWarning

        warnings.warn(f"the fit did not converge: {outcome.reason}", ConvergenceWarning, stacklevel=2)
    return DistributionResults(fitted, cov_type)


def resolve_coordinates(
    family: Family, parametrization: str | Parametrization | None, fixed: Mapping[str, float] | None = None
) -> tuple[Parametrization, str, dict[str, float]]:
    """Return the free coordinates, the name of their parametrization, and what is held.

    Raises
    ------
    ValueError
        For a parametrization that the family does not have, or one of another size; for a held parameter that it does
        not have, or a value that is no number.
    """
    chart = family.parametrization(parametrization)
    if chart.home_size != family.size:
        raise ValueError(
            f"{family.name} has {family.size} home parameters ({', '.join(family.parameter_names)}), but {chart!r} maps "
            f"to {chart.home_size}; give a parametrization of this family"
        )
    name = (
        parametrization if isinstance(parametrization, str) else family.home if parametrization is None else repr(chart)
    )
    held = dict(fixed or {})
    if not held:
        return chart, name, held
    for key, value in held.items():
        if key not in chart.names:
            raise ValueError(
                f"{family.name} has no parameter {key!r} to hold in the parametrization {name}; there are "
                f"{', '.join(chart.names)}{did_you_mean(key, chart.names)}"
            )
        if not isinstance(value, int | float | np.integer | np.floating) or not np.isfinite(value):
            raise ValueError(f"fixed must give a finite number for {key!r}, not {value!r}")
        held[key] = float(value)
    if len(held) == chart.size:
        raise ValueError(f"fixed holds every parameter of {family.name}, so nothing is left to fit; leave one free")
    return Composed(chart, Fixed(chart.names, held)), name, held


def objective_in(likelihood: DistributionLikelihood, data: DistributionData, coordinates: Parametrization) -> Objective:
    """Return what an optimizer maximizes: the likelihood of the data, in coordinates.

    Examples
    --------
    >>> family, data = bind("poisson", [1, 3])
    >>> objective = objective_in(DistributionLikelihood(family), data, family.parametrization("log_rate"))
    >>> objective.evaluate(np.array([0.0]), 3).score
    array([2.])
    """
    objective: Objective = LikelihoodObjective(likelihood, data.source)
    return objective if isinstance(coordinates, Identity) else ParametrizedObjective(objective, coordinates)


def default_optimizer(family: Family, coordinates: Parametrization, nobs: float) -> Optimizer:
    """Return the natural gradient, finishing on the observed information where that is another matrix, and known."""
    whole = coordinates.size == family.size
    if whole:
        finish = None if DistributionLikelihood(family).observed_is_expected else "observed"
    else:
        # Of fewer coordinates than home parameters the pulled-back observed information lacks their own bend.
        finish = "observed" if _is_affine(coordinates) else None
    return Optimizer(Reaching(FARTHEST * nobs, finish=finish), Backtracking(), name="natural gradient")


def _is_affine(coordinates: Parametrization) -> bool:
    if isinstance(coordinates, Composed):
        return _is_affine(coordinates.outer) and _is_affine(coordinates.inner)
    return isinstance(coordinates, Affine | Identity)


def _shown(coordinates: Parametrization, xi: Array) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in zip(coordinates.names, xi, strict=True))
