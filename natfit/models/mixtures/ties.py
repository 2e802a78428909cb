"""Components some of whose parameters are held at a value, or are the same in all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from natfit.data.checks import did_you_mean
from natfit.likelihoods.mixtures.exponential import ExponentialComponents
from natfit.models.mixtures.coordinates import MemberCoordinates
from natfit.parametrizations.affine import Affine
from natfit.parametrizations.base import OffImageError, Parametrization
from natfit.parametrizations.composed import Composed
from natfit.parametrizations.product import Product

Array = np.ndarray[Any, np.dtype[Any]]

INNER_STEPS = 25
"""Scoring steps in one maximum under ties; from the last maximum two or three are enough."""

WIDTHS = (
    "variance",
    "sd",
    "log_sd",
    "log_variance",
    "precision",
    "variance_log",
    "shape",
    "log_shape",
    "concentration",
)
"""Parameters that say how narrow a component is: held or shared, they keep any from closing in on a few rows."""

TRIALS = (1.0, 0.5, 0.1, 2.0, 10.0, -1.0)
"""What the other parameters are set to, to see whether a value held is possible."""


def tie(components: ExponentialComponents, fixed: Mapping[str, float], shared: Sequence[str]) -> None:
    """Hold parameters of components, or let all share them: gives the components coordinates and a maximum of their own.

    Parameters
    ----------
    fixed : mapping of str to float
    shared : sequence of str
        Names in one of the family's parametrizations: the first that has them all.

    Raises
    ------
    ValueError
        If there is no parametrization with these names, or nothing is left to fit.
    """
    names = [*fixed, *shared]
    chart = _with_names(components.family, names)
    _check_held(components.family, chart, fixed)
    K, own = components.n_components, chart.names
    labels: list[str] = []
    columns: list[Array] = []
    offset = np.zeros(K * len(own))
    for j, name in enumerate(own):
        places = np.arange(K) * len(own) + j
        if name in fixed:
            offset[places] = float(fixed[name])
            continue
        for group in [places] if name in shared else places[:, None]:
            column = np.zeros(offset.size)
            column[group] = 1.0
            columns.append(column)
            labels.append(name if name in shared else f"{name}[{(group[0] - j) // len(own)}]")
    if not columns:
        raise ValueError("fixed holds every parameter of the components, so nothing is left to fit; leave one free")
    ties = Affine(np.column_stack(columns), offset, labels)
    each = Product(*(chart for _ in range(K)))
    coordinates = MemberCoordinates(components, Composed(each, ties))
    components.bounded = components.bounded or any(name in WIDTHS for name in names)
    components.tied = dict(fixed), list(shared)  # type: ignore[attr-defined]
    components.chart = coordinates  # type: ignore[attr-defined]
    components.constrain = lambda completed, params: _maxima(components, coordinates, ties, each, completed, params)


def belonging(family: Any, columns: Sequence[str], name: str) -> str | None:
    """Return the parameter of a family of some columns that a name means, or None: ``"shape"`` or ``"height:shape"``."""
    column, _, parameter = name.rpartition(":")
    if column and column not in columns:
        return None
    known = {own for chart in family.parametrizations.values() for own in chart.names}
    return parameter if parameter in known else None


def _check_held(family: Any, chart: Parametrization, fixed: Mapping[str, float]) -> None:
    """Refuse values that no member of the family has."""
    for name, value in fixed.items():
        trials = np.array(
            [[value if name == other else trial for other in chart.names] for trial in TRIALS], dtype=float
        )
        with np.errstate(all="ignore"):
            possible = np.isfinite(float(value)) and np.any(family.contains(chart.to_home(trials)))
        if not possible:
            raise ValueError(f"{family.name} can't have {name} = {value:g}; hold it at another value")


def _with_names(family: Any, names: Sequence[str]) -> Parametrization:
    for chart in family.parametrizations.values():
        if set(names) <= set(chart.names):
            return chart
    known = sorted({name for chart in family.parametrizations.values() for name in chart.names})
    strange = next((name for name in names if name not in known), None)
    if strange is None:
        raise ValueError(f"{', '.join(names)} of {family.name} belong to different parametrizations; name those of one")
    raise ValueError(
        f"{family.name} has no parameter {strange!r} to hold or share; there are {', '.join(known)}"
        f"{did_you_mean(strange, known)}"
    )


def _maxima(
    components: ExponentialComponents,
    chart: MemberCoordinates,
    ties: Affine,
    each: Product,
    completed: Array,
    params: Array,
) -> Array:
    """Return the maxima of complete-data log-likelihoods, one for each leading index."""
    flat = params.reshape(-1, components.size)
    sums = completed.reshape(len(flat), components.n_components, -1)
    made = np.array(
        [_maximum(components, chart, _near(chart, ties, each, p), c) for p, c in zip(flat, sums, strict=True)]
    )
    return made.reshape(params.shape)


def _near(chart: MemberCoordinates, ties: Affine, each: Product, params: Array) -> Array:
    """Return the coordinates of parameters, or where they break the ties, those of the least squares."""
    try:
        return chart.from_home(params)
    except OffImageError:
        members = chart._shift(chart.components.family.home_from_natural(chart.components.natural(params)), 1.0)
        return np.linalg.lstsq(ties.matrix, each.from_home(members.ravel()) - ties.offset)[0]


def _maximum(components: ExponentialComponents, chart: MemberCoordinates, xi: Array, completed: Array) -> Array:
    """Climb sum over k of eta_k'T_k - N_k A(eta_k) by scoring, the complete data's natural gradient."""
    family = components.family
    counts, sums = completed[:, 0], completed[:, 1:]

    def value(at: Array) -> float:
        if not np.all(chart.contains(at)):
            return -np.inf
        eta = components.natural(chart.to_home(at))
        return float((eta * sums).sum() - counts @ family.log_partition(eta))

    now = value(xi)
    for _ in range(INNER_STEPS):
        eta = components.natural(chart.to_home(xi))
        J = chart.jacobian(xi)
        score = J.T @ (sums - counts[:, None] * family.mean_from_natural(eta)).ravel()
        rows = J.reshape(len(counts), -1, J.shape[1])
        metric = np.einsum("k,kai,kab,kbj->ij", counts, rows, family.fisher_natural(eta), rows)
        if not np.isfinite(metric).all() or np.linalg.matrix_rank(metric) < len(metric):
            return np.full(components.size, np.nan)
        step = np.linalg.solve(metric, score)
        gain = float(score @ step)
        scale = 1.0
        while not (there := value(xi + scale * step)) >= now - 1e-12 * abs(now) and scale > 1e-8:
            scale *= 0.5
        if scale <= 1e-8:
            break
        xi, now = xi + scale * step, there
        if gain < 1e-14 * counts.sum():
            break
    return chart.to_home(xi)
