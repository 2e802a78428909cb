"""A mixture's likelihood, bound to rows: components, coordinates, and what the constraint compares with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from natfit.data.arrays import ArraySource
from natfit.data.checks import check_not_empty
from natfit.families.base import ExponentialFamily
from natfit.families.gaussian_covariances import resolve as resolve_covariance
from natfit.families.registry import REGISTRY
from natfit.likelihoods.mixture import MixtureLikelihood
from natfit.likelihoods.mixture_components import Components, ExponentialComponents
from natfit.likelihoods.mixture_gaussian import GaussianComponents
from natfit.likelihoods.sums import Sums
from natfit.models.mixture_coordinates import gaussian_coordinates
from natfit.models.mixture_data import BLOCK_BYTES, MixtureData
from natfit.parametrizations.base import Parametrization

Array = np.ndarray[Any, np.dtype[Any]]

GAUSSIAN = ("gaussian", "multivariate_normal")

FLOOR = 1e-6
"""Smallest eigenvalue of a covariance, as a share of the smallest of all rows': far below what the constraint allows."""


def exponential_families() -> list[str]:
    """Return the registered families that can be components."""
    known = [(name, REGISTRY.entry(name)) for name in REGISTRY.names()]
    return [
        name
        for name, entry in known
        if isinstance(entry, ExponentialFamily) or (isinstance(entry, type) and issubclass(entry, ExponentialFamily))
    ]


def moments(data: MixtureData) -> tuple[float, Array, Array]:
    """Return the sum of weights, the means (d,) and the covariance (d, d), divisor n, in two passes."""

    def first(block: Any) -> Sums:
        y, weight = _matrix(block.columns["y"]), block.columns.get("weight")
        return Sums(
            total=float(len(y)) if weight is None else weight.sum(), y=y.sum(axis=0) if weight is None else weight @ y
        )

    sums = data.source.reduce(first)
    mean = sums["y"] / sums["total"]

    def second(block: Any) -> Sums:
        x, weight = _matrix(block.columns["y"]) - mean, block.columns.get("weight")
        return Sums(square=x.T @ x if weight is None else (x.T * weight) @ x)

    return sums["total"], mean, data.source.reduce(second)["square"] / sums["total"]


def _matrix(y: Array) -> Array:
    return y[:, None] if y.ndim == 1 else y


def gaussian_components(data: MixtureData, n_components: int, covariance: str) -> tuple[GaussianComponents, Array]:
    """Return Gaussian components for rows, and the smallest eigenvalue of the rows' covariance, divisor n - 1, (1,).

    Raises
    ------
    ValueError
        For an unknown covariance, or columns that don't vary or depend on one another.
    """
    dim = len(data.columns)
    model = resolve_covariance(covariance, dim)
    total, mean, square = moments(data)
    scale = np.sqrt(square.diagonal())
    flat = scale <= 8.0 * np.finfo(float).eps * np.abs(mean)
    if flat.any():
        names = ", ".join(repr(name) for name, gone in zip(data.columns, flat, strict=True) if gone)
        raise ValueError(f"a Gaussian mixture needs columns that vary, but {names} is constant; leave it out")
    values, vectors = np.linalg.eigh(square / scale / scale[:, None])
    if values[0] <= dim * 1e-13 * values[-1]:
        worst = [name for name, part in zip(data.columns, vectors[:, 0], strict=True) if abs(part) > 1e-3]
        raise ValueError(
            f"a Gaussian mixture needs columns none of which is a linear combination of the others, but "
            f"{', '.join(map(repr, worst))} are dependent; leave one of them out"
        )
    smallest = np.linalg.eigvalsh(square * total / max(total - 1.0, 1.0))[:1]
    made = GaussianComponents(dim, n_components, mean, model, floor=FLOOR * float(smallest[0]))
    return made, smallest


def block_rows(components: Any, n_rows: int) -> int:
    """Return how many rows a block should have: its statistics stay in cache, and every processor gets some."""
    width = 1 + getattr(components, "width", 16)
    if isinstance(components, GaussianComponents):
        width = min(width, 2 * components.dim)
    most = min(BLOCK_BYTES // (8 * width), -(-n_rows // 8))
    return int(np.clip(most, 2048, 32_768))


def resized(data: MixtureData, components: Components) -> Any:
    """Return the source with blocks of the height that suits the components."""
    source = data.source
    if isinstance(source, ArraySource):
        return ArraySource(source.whole, source.n_jobs, block_rows(components, source.n_rows))
    return source


def pooled(likelihood: MixtureLikelihood, source: Any) -> Array:
    """Return the completed sums of all rows as one component, (1 + s,)."""
    components: Any = likelihood.components

    def all_rows(block: Any) -> Sums:
        weight = block.columns.get("weight")
        share = np.ones((1, block.n_rows)) if weight is None else weight[None]
        return Sums(complete=ExponentialComponents.completed(components, np.empty(0), components.view(block), share))

    return source.reduce(all_rows)["complete"][0]


def finishing_coordinates(components: Any) -> Callable[[Array], Parametrization | None]:
    """Return what gives the coordinates to finish in: a covariance model's own; None where all parameters are free."""
    if isinstance(components, GaussianComponents) and not components.is_free:
        return lambda params: gaussian_coordinates(components, params)
    return lambda params: None


def check_support(family: ExponentialFamily, data: MixtureData) -> None:
    """Refuse rows outside the components' support."""
    check_not_empty(data.n_rows)
    for block in data.source.blocks():
        family.check(block.columns["y"], ", ".join(data.columns))
