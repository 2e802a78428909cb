"""Several fits of the same data side by side: whether they may be compared, and the table of their differences."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.checks import where
from natfit.data.matrix import Columns
from natfit.metric import Gram
from natfit.results.comparing.comparison import Outcome, chi2, f_test, resolve_test
from natfit.results.comparing.score_test import rao_statistic, score_sums
from natfit.results.covariance import finite_columns

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]

SPANNED = 1e-7
"""Share of the length of a random combination of columns that may be left after projecting on another model's columns
(with one step of refinement): over rounding by far, under any column of its own."""


def several(fits: list[GLMResults], test: str | None, names: Sequence[str] | None) -> Any:
    """Return the table of fits, each against the one before; arguments as of `natfit.anova`."""
    import pandas as pd

    # A fit under constraints is that of its free coefficients: a design of fewer columns, with an offset.
    fits = [getattr(fit, "results_constrained", fit) for fit in fits]
    labels = list(range(1, len(fits) + 1)) if names is None else list(names)
    if len(labels) != len(fits):
        raise ValueError(f"names needs one for each of the {len(fits)} fits, got {len(labels)}")
    for other in fits[1:]:
        check_comparable(fits[0], other)
    largest = min(fits, key=lambda fit: fit.df_resid)
    kind = resolve_test(test, largest)
    df = largest.df_resid if isinstance(largest.dispersion, str) else np.inf
    tested = [None, *(_test(one, other, kind, largest.scale, df) for one, other in pairwise(fits))]
    return pd.DataFrame(_columns(fits, tested, kind), index=labels)


def _columns(fits: list[GLMResults], tested: list[Outcome | None], kind: str) -> dict[str, Any]:
    from natfit.results.comparing.anova import columns_of_test

    degrees = np.array([fit.df_resid for fit in fits])
    columns: dict[str, Any] = {"Resid. Df": degrees}
    shaped = _own_shapes(fits)
    if shaped:
        columns["alpha"] = [getattr(fit.family, "alpha", np.nan) for fit in fits]
        columns["-2 llf"] = [-2.0 * fit.llf for fit in fits]
    else:
        columns["Resid. Dev"] = [fit.deviance for fit in fits]
    columns["Df"] = np.append(np.nan, -np.diff(degrees))
    if not shaped:
        columns["Deviance"] = np.append(np.nan, -np.diff([fit.deviance for fit in fits]))
    return columns | columns_of_test(tested, kind, deviance_is_statistic=not shaped)


def _own_shapes(fits: Sequence[GLMResults]) -> bool:
    return any(fit.shape is not None for fit in fits)


def _test(one: GLMResults, other: GLMResults, kind: str, dispersion: float, df_dispersion: float) -> Outcome:
    small, large = sorted((one, other), key=lambda fit: fit.model.rank)
    check_nested(small, large)
    df = large.model.rank - small.model.rank
    if df == 0:
        return Outcome(np.nan, 0, np.nan)
    if kind == "score":
        design, kept = large.model.data.design, large.fitted.kept
        score, information = score_sums(small, design)
        if not kept.all():
            score, information = score[kept], information.pullback(np.eye(kept.size)[:, kept])
        return chi2(rao_statistic(score, information, dispersion), df)
    if kind == "Wald":
        return chi2(_wald(small, large), df)
    if _own_shapes([small, large]):
        return chi2(2.0 * (large.llf - small.llf), df)
    gain = small.deviance - large.deviance
    return f_test(gain / df / dispersion, df, df_dispersion) if kind == "F" else chi2(gain / dispersion, df)


# -- may they be compared? ---------------------------------------------------------------------------------------------


def check_comparable(one: GLMResults, other: GLMResults) -> None:
    """Refuse fits that don't describe the same rows by the same family and link.

    Raises
    ------
    ValueError
        Says in what they differ.
    """
    mine, theirs = one.model.data, other.model.data
    remedy = "fit both to the same rows"
    if mine.n_rows != theirs.n_rows:
        dropped = [f"{data.n_missing} dropped for missing values" for data in (mine, theirs) if data.n_missing]
        why = f" ({'; '.join(dropped)})" if dropped else ""
        raise ValueError(
            f"fits to compare must rest on the same rows, but they have {mine.n_rows} and {theirs.n_rows}{why}; {remedy}"
        )
    if mine.index is not None and theirs.index is not None and not mine.index.equals(theirs.index):
        raise ValueError(f"fits to compare must rest on the same rows, but their row labels differ; {remedy}")
    for what in ("y", "trials", "freq_weights", "var_weights"):
        _check_same(what, getattr(mine, what), getattr(theirs, what))
    if one.family._own_class is not other.family._own_class:
        raise ValueError(
            f"fits to compare must share a family, but these are {one.family!r} and {other.family!r}; compare their AIC, "
            "as nf.compare does"
        )
    if one.link != other.link:
        raise ValueError(
            f"fits to compare must share a link, but these have {one.link.name} and {other.link.name}; compare their AIC, "
            "as nf.compare does"
        )
    estimated = one.shape is not None and other.shape is not None
    if not estimated and one.family != other.family:
        raise ValueError(
            f"fits to compare must share the family's constants, or estimate them all, but these are {one.family!r} and "
            f"{other.family!r}; give both the same"
        )


def _check_same(what: str, mine: Array | None, theirs: Array | None) -> None:
    if mine is theirs:
        return
    size = len(mine if mine is not None else theirs)  # type: ignore[arg-type]
    mine, theirs = (np.ones(size) if each is None else each for each in (mine, theirs))
    differ = mine != theirs
    if differ.any():
        name = "response" if what == "y" else what
        raise ValueError(
            f"fits to compare must have the same {name}, but theirs differ in {where(differ)}; fit both to the same data"
        )


def check_nested(small: GLMResults, large: GLMResults) -> None:
    """Refuse fits of which neither is a special case of the other.

    The columns of the smaller model, and the difference of the offsets, must lie in the span of the larger one's; a
    random combination of them stands for all.

    Raises
    ------
    ValueError
        Says what is left over.
    """
    data, other = small.model.data, large.model.data
    kept = np.flatnonzero(small.fitted.kept)
    length = np.sqrt(np.maximum(data.design.gram(np.ones(data.n_rows)).diagonal()[kept], 0.0))
    weights = np.zeros(data.design.shape[1])
    weights[kept] = np.random.default_rng(0).normal(size=kept.size) / np.where(length > 0.0, length, 1.0)
    probe = data.design.matvec(weights)
    if project(other.design, large.fitted.kept, probe)[1] > SPANNED:
        raise ValueError(
            f"fits to compare must be nested, but the columns of {_called(small)} are no combinations of those of "
            f"{_called(large)}; compare their AIC, as nf.compare does"
        )
    mine, theirs = data.linear_offset(), other.linear_offset()
    if mine is theirs:
        return
    zero = np.zeros(data.n_rows)
    gap = (zero if mine is None else mine) - (zero if theirs is None else theirs)
    if gap.any() and project(other.design, large.fitted.kept, gap)[1] > SPANNED:
        raise ValueError(
            "fits to compare must have the same offset and exposure, or offsets whose difference the larger model's columns "
            "span; give both the same"
        )


def _called(fit: GLMResults) -> str:
    formula = getattr(fit.model, "formula", None)
    return repr(formula) if formula else f"the model of {', '.join(fit.model.exog_names[:8])}"


def project(design: Columns, kept: Array, vector: Array) -> tuple[Array, float]:
    """Return the coefficients of a vector's projection on the kept columns, and the share of its length left over."""
    gram = design.gram(np.ones(design.shape[0]))[np.ix_(kept, kept)]
    coefficients, left = np.zeros(design.shape[1]), vector
    for _ in range(2):  # the second step makes up for what squaring lost
        step = np.zeros_like(coefficients)
        step[kept] = Gram(gram).solve(design.rmatvec(left)[kept])
        coefficients = coefficients + step
        left = vector - design.matvec(coefficients)
    size = float(np.linalg.norm(vector))
    return coefficients, float(np.linalg.norm(left)) / size if size > 0.0 else 0.0


def _wald(small: GLMResults, large: GLMResults) -> float:
    """Return how far the larger fit's estimate lies from the smaller model, squared, in standard errors."""
    finite = finite_columns(large)
    if (large.fitted.kept & ~finite).any():
        return np.nan
    data, other = small.model.data, large.model.data
    columns = [
        project(other.design, large.fitted.kept, data.design.matvec(np.eye(data.design.shape[1])[j]))[0][finite]
        for j in np.flatnonzero(small.fitted.kept)
    ]
    away = large.fitted.params[finite]
    mine, theirs = data.linear_offset(), other.linear_offset()
    if mine is not theirs:
        zero = np.zeros(data.n_rows)
        gap = (zero if mine is None else mine) - (zero if theirs is None else theirs)
        away = away - project(other.design, large.fitted.kept, gap)[0][finite]
    root = np.linalg.cholesky(large._cov[np.ix_(finite, finite)])
    rows = np.linalg.solve(root, np.column_stack([*columns, away]))
    if not columns:
        return float(rows[:, -1] @ rows[:, -1])
    # In the metric of the covariance, what is left of the estimate beside the smaller model's directions.
    left = rows[:, -1] - rows[:, :-1] @ np.linalg.lstsq(rows[:, :-1], rows[:, -1], rcond=None)[0]
    return float(left @ left)
