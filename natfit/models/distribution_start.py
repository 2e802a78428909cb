"""Where the fit of a distribution starts, and how it leaves a start that is far from the estimate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from natfit.data.checks import did_you_mean
from natfit.families import ExponentialFamily, Family
from natfit.likelihoods.distribution import DistributionLikelihood
from natfit.models.distribution_data import DistributionData
from natfit.need import LOGLIK
from natfit.optimize.directions import Heading, NaturalGradient
from natfit.optimize.objective import Objective, Point
from natfit.parametrizations.affine import Affine
from natfit.parametrizations.base import OffImageError, Parametrization
from natfit.parametrizations.composed import Composed

Array = np.ndarray[Any, np.dtype[Any]]


class Reaching(NaturalGradient):
    """The natural gradient, shortened where a unit step would move the distribution farther than the data reach.

    From a poor start a unit step may lead where the likelihood is flat, or into overflow. Shortened to a given
    divergence, to second order, it leads to a distribution that is still comparable, whatever the parametrization.

    Parameters
    ----------
    reach : float
        Most that a unit step may move, in nats over all observations.
    **options
        Arguments of `NaturalGradient`.
    """

    def __init__(self, reach: float, **options: Any):
        super().__init__(**options)
        self.reach = reach

    def __call__(self, objective: Objective, point: Point, state: Any) -> tuple[Heading, Any]:
        heading, state = super().__call__(objective, point, state)
        if heading.decrement is not None and heading.decrement > 2.0 * self.reach:
            heading = heading._replace(vector=heading.vector * np.sqrt(2.0 * self.reach / heading.decrement))
        return heading, state


def starting_point(likelihood: DistributionLikelihood, data: DistributionData, coordinates: Parametrization) -> Array:
    """Return coordinates (q,) to start from, inside the domain.

    They are those of a start that the family can give for the observations; where it gives none, or parameters are held
    or tied and none of it is left, those of the likeliest of its examples.

    Raises
    ------
    ValueError
        If the likelihood of the whole family has no maximum, or no start lies inside the domain.
    """
    family = likelihood.family
    whole = coordinates.size == family.size
    good = _given_by_family(likelihood, data, whole)
    if good is not None:
        xi = _inside(family, coordinates, good)
        if xi is not None:
            return xi
        if whole:
            raise ValueError(
                f"the estimate of {family.name} lies outside the parametrization {', '.join(coordinates.names)}, or "
                "within rounding of its edge; use another parametrization, or give start_params inside it"
            )
    tried = [_inside(family, coordinates, theta) for theta in family.example_parameters()]
    starts = [xi for xi in tried if xi is not None]
    if not starts:
        raise ValueError(
            f"no start was found for {family.name} with free parameters {', '.join(coordinates.names)}: its domain is "
            f"that {family.domain_text}; mend the values that are held, or give start_params inside it"
        )
    return max(starts, key=lambda xi: _loglik(likelihood, data, coordinates.to_home(xi)))


def _given_by_family(likelihood: DistributionLikelihood, data: DistributionData, whole: bool) -> Array | None:
    """Return the home parameters that the family itself would start from, if it says."""
    family: Any = likelihood.family
    if hasattr(family, "starting_parameters") and data.y is not None:
        return np.asarray(family.starting_parameters(data.y, data.freq_weights), dtype=float)
    if not isinstance(family, ExponentialFamily):
        return None
    try:
        return _closed(likelihood, data)
    except (ValueError, ArithmeticError):
        if whole:  # where parameters are held there may be a maximum all the same
            raise
    return None


def _inside(family: Family, coordinates: Parametrization, theta: Array) -> Array | None:
    """Return the coordinates nearest to home parameters, if there are any inside the domain."""
    try:
        with np.errstate(all="ignore"):
            xi = nearest(coordinates, theta)
    except (OffImageError, np.linalg.LinAlgError):
        return None
    return xi if inside(family, coordinates, xi) else None


def _closed(likelihood: DistributionLikelihood, data: DistributionData) -> Array:
    """Return an exponential family's maximum-likelihood estimate from averages of the sufficient statistics."""
    family: Any = likelihood.family
    if data.y is not None:
        return family.mle(data.y, data.freq_weights, name=data.name)
    sums = data.source.reduce(likelihood.statistics)
    try:
        return family.mle_from_mean(sums["statistics"] / sums["count"], data.name)
    except ValueError:
        # Averages may have lost in cancellation what one block's rows, taken by themselves, still tell.
        for block in data.source.blocks():
            try:
                return family.mle(block.columns["y"], block.columns.get("freq_weights"))
            except ValueError:
                continue
        raise


def _loglik(likelihood: DistributionLikelihood, data: DistributionData, theta: Array) -> float:
    return data.source.reduce(lambda block: likelihood.evaluate(theta, block, LOGLIK))["loglik"]


def nearest(coordinates: Parametrization, theta: Array) -> Array:
    """Return coordinates of home parameters, or where affine ones miss them, the least-squares ones.

    Examples
    --------
    >>> from natfit.parametrizations import Fixed
    >>> nearest(Fixed(["mean", "variance"], {"variance": 4.0}), np.array([1.0, 9.0]))
    array([1.])
    """
    if isinstance(coordinates, Composed):
        return nearest(coordinates.inner, nearest(coordinates.outer, theta))
    if isinstance(coordinates, Affine):
        return np.linalg.lstsq(coordinates.matrix, theta - coordinates.offset)[0]
    return coordinates.from_home(theta)


def inside(family: Family, coordinates: Parametrization, xi: Array) -> bool:
    """Say whether coordinates lie in the domain of the parametrization and of the family."""
    with np.errstate(all="ignore"):
        return bool(np.all(coordinates.contains(xi)) and np.all(family.contains(coordinates.to_home(xi))))


def given_start(family: Family, coordinates: Parametrization, start_params: Any) -> Array:
    """Return the user's start as coordinates (q,), or say what is wrong with it.

    Parameters
    ----------
    start_params : (q,) array_like, or mapping of every coordinate's name to a value
    """
    names = coordinates.names
    if isinstance(start_params, Mapping):
        for name in start_params:
            if name not in names:
                raise ValueError(
                    f"start_params has {name!r}, and the free parameters are {', '.join(names)}{did_you_mean(name, names)}"
                )
        lacking = [name for name in names if name not in start_params]
        if lacking:
            raise ValueError(f"start_params must have a value for each free parameter, but lacks {', '.join(lacking)}")
        start_params = [start_params[name] for name in names]
    xi = np.asarray(start_params, dtype=float)
    if xi.shape != (len(names),):
        raise ValueError(
            f"start_params needs one number for each of {', '.join(names)}, in this order, but has shape {xi.shape}"
        )
    if not inside(family, coordinates, xi):
        shown = ", ".join(f"{name}={value:g}" for name, value in zip(names, xi, strict=True))
        raise ValueError(
            f"start_params ({shown}) lie outside the domain of {family.name}, which is that {family.domain_text}; "
            "start inside it"
        )
    return xi
