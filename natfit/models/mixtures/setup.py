"""A mixture's likelihood, bound to rows: components, coordinates, and what the constraint compares with."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from natfit.data.arrays import ArraySource
from natfit.data.checks import did_you_mean
from natfit.families.base import ExponentialFamily
from natfit.families.gaussian_covariances import resolve as resolve_covariance
from natfit.families.registry import REGISTRY
from natfit.likelihoods.mixtures.components import Components
from natfit.likelihoods.mixtures.exponential import ExponentialComponents
from natfit.likelihoods.mixtures.gaussian import WIDE, GaussianComponents, smallest_eigenvalues
from natfit.likelihoods.sums import Sums
from natfit.models.mixtures.data import BLOCK_BYTES, MixtureData

Array = np.ndarray[Any, np.dtype[Any]]

GAUSSIAN = ("gaussian", "multivariate_normal")

WIDE_BYTES = 1 << 20
"""Bytes of the rows in a block of wide Gaussians, besides which there is a panel of them for every component."""

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


def moments(data: MixtureData, place: Any = None) -> tuple[float, Array, Array]:
    """Return the sum of weights, the means (d,) and the covariance (d, d), divisor n, in two passes."""

    def first(block: Any) -> Sums:
        y, weight = _matrix(block.columns["y"], place), block.columns.get("weight")
        return Sums(
            total=float(len(y)) if weight is None else weight.sum(), y=y.sum(axis=0) if weight is None else weight @ y
        )

    sums = data.source.reduce(first)
    mean = sums["y"] / sums["total"]

    def second(block: Any) -> Sums:
        x, weight = _matrix(block.columns["y"], place) - mean, block.columns.get("weight")
        return Sums(square=x.T @ x if weight is None else (x.T * weight) @ x)

    return sums["total"], mean, data.source.reduce(second)["square"] / sums["total"]


def _matrix(y: Array, place: Any) -> Array:
    y = y[:, None] if y.ndim == 1 else y
    return y if place is None else y[:, place]


def gaussian_components(data: MixtureData, n_components: int, covariance: str, place: Any = None) -> GaussianComponents:
    """Return Gaussian components for rows, or for some columns of them.

    Raises
    ------
    ValueError
        For an unknown covariance, or columns that don't vary or depend on one another.
    """
    columns = data.columns if place is None else [data.columns[j] for j in place]
    dim = len(columns)
    model = resolve_covariance(covariance, dim)
    total, mean, square = moments(data, place)
    scale = np.sqrt(square.diagonal())
    flat = scale <= 8.0 * np.finfo(float).eps * np.abs(mean)
    if flat.any():
        names = ", ".join(repr(name) for name, gone in zip(columns, flat, strict=True) if gone)
        raise ValueError(f"a Gaussian mixture needs columns that vary, but {names} is constant; leave it out")
    values, vectors = np.linalg.eigh(square / scale / scale[:, None])
    if values[0] <= dim * 1e-13 * values[-1]:
        worst = [name for name, part in zip(columns, vectors[:, 0], strict=True) if abs(part) > 1e-3]
        raise ValueError(
            f"a Gaussian mixture needs columns none of which is a linear combination of the others, but "
            f"{', '.join(map(repr, worst))} are dependent; leave one of them out"
        )
    smallest = smallest_eigenvalues(square * total / max(total - 1.0, 1.0))
    return GaussianComponents(dim, n_components, mean, model, place, FLOOR * float(smallest))


def block_rows(components: Any, n_rows: int) -> int:
    """Return how many rows a block should have: its statistics stay in cache, and every processor gets some."""
    if isinstance(components, GaussianComponents) and components.dim >= WIDE:
        # Not a power of two: columns would meet at the same places of the cache.
        most = WIDE_BYTES // (8 * components.dim) // 16 * 16 + 8
    else:
        most = BLOCK_BYTES // (8 * (1 + getattr(components, "width", 16)))
    return int(np.clip(min(most, -(-n_rows // 8)), 2048, 32_768))


def resized(data: MixtureData, components: Components) -> Any:
    """Return the source with blocks of the height that suits the components."""
    source = data.source
    if isinstance(source, ArraySource):
        return ArraySource(source.whole, source.n_jobs, block_rows(components, source.n_rows))
    return source


def pooled(components: Any, source: Any) -> Array:
    """Return the completed sums of all rows as one component, (1 + s,)."""

    def all_rows(block: Any) -> Sums:
        weight = block.columns.get("weight")
        share = np.ones((1, block.n_rows)) if weight is None else weight[None]
        return Sums(complete=components.completed(np.empty(0), components.view(block), share))

    return source.reduce(all_rows)["complete"][0]


def is_gaussian(family: Any) -> bool:
    """Say whether a family, given by name, class or instance, is the normal one of one column or several."""
    family = REGISTRY.entry(family) if isinstance(family, str) and "(" not in family else family
    return getattr(family, "name", None) in GAUSSIAN


def resolve_family(family: Any, codes: Array | None) -> ExponentialFamily:
    """Return the exponential family of a name, class or instance; categories are counted in the rows' codes.

    Raises
    ------
    ValueError
        If it is not an exponential one; the message lists those.
    """
    entry = REGISTRY.entry(family) if isinstance(family, str) and "(" not in family else family
    known = inspect.signature(entry).parameters if isinstance(entry, type) else {}
    if "classes" in known and codes is not None:
        if codes.ndim > 1 and "trials" in known:
            entry = entry(classes=codes.shape[1], trials=int(codes[0].sum()))
        else:
            entry = entry(classes=max(int(np.nanmax(codes)) + 1, 2))
    elif "dim" in known and codes is not None:
        entry = entry(dim=codes.shape[-1])
    found = REGISTRY.get(entry)
    if not isinstance(found, ExponentialFamily):
        raise ValueError(
            f"{getattr(found, 'name', found)} is no exponential family, so it cannot be a component; choose one of "
            f"{', '.join(exponential_families())}"
        )
    return found


def columns_of(family: Mapping[Any, Any], columns: list[str]) -> list[tuple[list[int], Any]]:
    """Return the places of each group of columns with its family.

    Raises
    ------
    ValueError
        If a column is not there, stands in two groups or in none.
    """
    groups = []
    for key, own in family.items():
        names = [key] if isinstance(key, str) else list(key)
        for name in names:
            if name not in columns:
                raise ValueError(
                    f"no column {name!r} for a component's family; there are {', '.join(columns)}"
                    f"{did_you_mean(name, columns)}"
                )
        groups.append(([columns.index(name) for name in names], own))
    used = sorted(place for places, _ in groups for place in places)
    if used != list(range(len(columns))):
        odd = [name for j, name in enumerate(columns) if used.count(j) != 1]
        raise ValueError(f"each column needs one family, but {', '.join(map(repr, odd))} has none or several")
    return groups


def check_support(
    family: ExponentialFamily, data: MixtureData, place: Any = None, except_at: float | None = None
) -> None:
    """Refuse rows outside the components' support, but for those of a point mass."""
    names = data.columns if place is None else [data.columns[j] for j in np.atleast_1d(place)]
    before = 0
    for block in data.source.blocks():
        y = block.columns["y"] if place is None else block.columns["y"][:, place]
        if except_at is not None:
            y = y[y != except_at]
        try:
            family.check(y, ", ".join(names))
        except ValueError as error:
            counted = f" (rows are counted from row {before} of the source)" if before else ""
            raise ValueError(f"{error}{counted}") from None
        before += block.n_rows


def check_varies(components: ExponentialComponents, data: MixtureData, columns: list[str]) -> None:
    """Refuse columns that stand at an edge of the family's means in all rows, such as counts that are all 0."""
    sums = pooled(components, data.source)
    with np.errstate(all="ignore"):
        inside = bool(np.all(components.family.contains_mean(sums[1:] / sums[0])))
    if not inside:
        name = components.family.name
        raise ValueError(
            f"a {name} mixture needs columns that vary, and {', '.join(map(repr, columns))} is the same in all rows, or all "
            f"but so, where {name} has no maximum; leave it out"
        )


def check_distinct(block: Any, n_components: int) -> None:
    """Refuse fewer distinct rows than components."""
    y, weight = block.columns["y"], block.columns.get("weight")
    if weight is not None and not weight.all():
        y = y[weight > 0.0]
    if len(y) >= 50 * n_components and len(np.unique(y[: 50 * n_components], axis=0)) >= n_components:
        return
    distinct = len(np.unique(y, axis=0))
    if distinct < n_components:
        raise ValueError(
            f"{n_components} components need as many distinct rows, but there are {distinct}; use fewer components"
        )


def whole_number(name: str, given: Any) -> int:
    """Return an argument that counts something, or refuse it.

    Examples
    --------
    >>> whole_number("n_init", 20.0)
    20
    """
    if not isinstance(given, int | float | np.number) or given != np.floor(given) or not 1 <= given < np.inf:
        raise ValueError(f"{name} must be a whole number, 1 or more; got {given!r}")
    return int(given)


def check_options(family: Any, covariance: Any, tied: bool, noise: bool, zero_inflated: bool) -> None:
    """Refuse options that would not be heeded, or that contradict each other."""
    if noise and zero_inflated:
        raise ValueError(
            "a mixture has one component without parameters: give noise=True or zero_inflated=True, not both"
        )
    families = list(family.values()) if isinstance(family, Mapping) else [family]
    if covariance != "full" and (tied or not any(map(is_gaussian, families))):
        why = "fixed and shared hold parameters in their place" if tied else "these are none"
        raise ValueError(f"covariance={covariance!r} is for Gaussian components, and {why}; leave covariance out")


def check_zeros(data: MixtureData) -> None:
    """Refuse zero inflation of rows none of which is 0."""
    counted = (block.columns["y"] == 0.0 for block in data.source.blocks())
    if not any(bool(each.any()) for each in counted):
        raise ValueError(f"zero_inflated needs rows at 0, and {data.columns[0]!r} has none; leave it out")


def box(data: MixtureData) -> tuple[Array, Array]:
    """Return the least and the greatest value of each column, (d,) each."""
    each = [_matrix(block.columns["y"], None) for block in data.source.blocks()]
    return np.min([y.min(axis=0) for y in each], axis=0), np.max([y.max(axis=0) for y in each], axis=0)
