"""Where the fit of a distribution starts: the closed estimate, projected where parameters are held or tied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from natfit.data.checks import did_you_mean
from natfit.families import ExponentialFamily, Family
from natfit.likelihoods.distribution import DistributionLikelihood
from natfit.models.distribution_data import DistributionData
from natfit.need import LOGLIK
from natfit.parametrizations.affine import Affine
from natfit.parametrizations.base import OffImageError, Parametrization
from natfit.parametrizations.composed import Composed

Array = np.ndarray[Any, np.dtype[Any]]


def starting_point(likelihood: DistributionLikelihood, data: DistributionData, coordinates: Parametrization) -> Array:
    """Return coordinates (q,) to start from: those of the first home parameters that have any, inside the domain.

    Raises
    ------
    ValueError
        If the likelihood of the whole family has no maximum, or no start lies inside the domain.
    """
    family = likelihood.family
    best, start = -np.inf, None
    for theta, final in _candidates(likelihood, data, coordinates.size == family.size):
        try:
            with np.errstate(all="ignore"):
                xi = nearest(coordinates, theta)
        except (OffImageError, np.linalg.LinAlgError):
            continue
        if not inside(family, coordinates, xi):
            continue
        loglik = _loglik(likelihood, data, coordinates.to_home(xi))
        if final and loglik > -np.inf:
            return xi
        if loglik > best:
            best, start = loglik, xi
    if start is None:
        raise ValueError(
            f"no start was found for {family.name} in the coordinates {', '.join(coordinates.names)}: its domain is that "
            f"{family.domain_text}; mend the values that are held, or give start_params inside it"
        )
    return start


def _candidates(
    likelihood: DistributionLikelihood, data: DistributionData, whole: bool
) -> Iterator[tuple[Array, bool]]:
    """Yield home parameters to try, and whether to look no further if they serve."""
    family: Any = likelihood.family
    if hasattr(family, "starting_parameters") and data.y is not None:
        yield np.asarray(family.starting_parameters(data.y, data.freq_weights), dtype=float), True
    if isinstance(family, ExponentialFamily):
        try:
            yield _closed(likelihood, data), True
        except (ValueError, ArithmeticError):
            if whole:  # where parameters are held there may be a maximum all the same
                raise
    for theta in family.example_parameters():
        yield theta, False


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
