"""Covariance matrices of a GLM's coefficients under its model, and what covariances of every kind are put to."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.checks import where
from natfit.metric import Gram, Metric
from natfit.need import LOGLIK, MEAT, OBSERVED

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]


NOT_SEEN = 1e-7
"""Share of a combination's length that may lie in directions that the data can't see before it counts as not estimable."""


ROUNDING = 1e-10
"""What rounding may leave of a typical row, of length 1 / sqrt(n) in columns scaled to unit length, where it has no part."""
LOOKED_AT = 16_384
"""Rows made dense at a time."""


def covariance(fit: GLMResults, kind: str) -> Array:
    """Return the (p, p) covariance of the coefficients; NaN in rows and columns that are not identified.

    Parameters
    ----------
    fit : GLMResults
    kind : str
        "nonrobust" or "eim", "oim", or "hc0".

    Notes
    -----
    Expected: dispersion (X'WX)^-1. Observed: dispersion H^-1 with H minus the Hessian. HC0: H^-1 M H^-1 with M
    the sum of the rows' score outer products, a row of frequency f counting as f rows (White, 1982, Econometrica 50). These
    are for every likelihood; a GLM has more, in `natfit.results.robust`.
    """
    if kind in ("nonrobust", "eim"):
        return spread(fit, fit.scale * inverse(fit, fit.fitted.metric))
    sums = fit.evaluate(LOGLIK | OBSERVED | (MEAT if kind == "hc0" else 0))
    observed = Gram(sums["observed"].matrix_form()[np.ix_(fit.fitted.kept, fit.fitted.kept)])
    found = spread(fit, inverse(fit, observed))
    return fit.scale * found if kind == "oim" else sandwich(found, sums["meat"].matrix_form(), finite_columns(fit))


def sandwich(bread: Array, meat: Array, finite: Array) -> Array:
    """Return bread meat bread for the finite coefficients, NaN for the others; a NaN in the bread takes no part."""
    known_bread = known(bread)
    robust = np.full_like(bread, np.nan)
    robust[np.ix_(finite, finite)] = (known_bread @ meat @ known_bread)[np.ix_(finite, finite)]
    return robust


def known(covariance: Array) -> Array:
    """Return a covariance with 0 for coefficients that have none: they then take no part in products."""
    return np.where(np.isnan(covariance), 0.0, covariance)


def finite_columns(fit: GLMResults) -> Array:
    """Return which of the p coefficients have a finite estimate: kept, and not separated."""
    finite = fit.fitted.kept.copy()
    if fit.fitted.separation is not None:
        finite &= ~fit.fitted.separation.columns
    return finite


def combinations(rows: Any, size: int) -> Array:
    """Return linear combinations of coefficients as a (p,) or (k, p) array, or refuse those of another width."""
    made = np.asarray(rows, dtype=float)
    if made.ndim not in (1, 2) or made.shape[-1] != size:
        raise ValueError(f"combinations of the {size} coefficients need {size} columns; these have shape {made.shape}")
    return made


def combine(cov: Array, rows: Array, other: Array | None = None) -> Array:
    """Return the covariance rows cov other' of linear combinations of coefficients, some of which may have none.

    Parameters
    ----------
    cov : (p, p) ndarray
        NaN in the rows and columns of coefficients that are not identified.
    rows, other : (p,) or (k, p) ndarray
        The combinations; ``other`` is ``rows`` where left out.

    Notes
    -----
    A coefficient without a variance takes it from the combinations that load on it, and from no other.

    Examples
    --------
    >>> combine(np.array([[4.0, np.nan], [np.nan, np.nan]]), np.array([[1.0, 0.0], [1.0, 1.0]]))
    array([[ 4., nan],
           [nan, nan]])
    """
    other = rows if other is None else other
    lost = np.isnan(cov.diagonal())
    if not lost.any():
        return rows @ cov @ other.T
    products: Array = np.asarray(rows @ np.where(lost | lost[:, None], 0.0, cov) @ other.T)
    unknown = np.logical_or.outer(np.any(rows[..., lost], axis=-1), np.any(other[..., lost], axis=-1))
    return np.where(unknown, np.nan, products)


def unseen(fit: Any, rows: Array) -> Array:
    """Return which combinations of the coefficients, (k, p), lie partly in directions that the data can't see."""
    length, hidden = hidden_directions(fit)
    scaled = rows / length
    share = np.linalg.norm(scaled @ hidden, axis=1)
    return np.asarray(share > NOT_SEEN * np.linalg.norm(scaled, axis=1))


def hidden_directions(fit: Any) -> tuple[Array, Array]:
    """Return the lengths of the columns, (p,), and an orthonormal basis of what aliased ones, so scaled, leave unseen."""
    if "_hidden" not in fit.__dict__:
        data = fit.model.data
        weight = data.weight()
        # Of the rows alike: separated ones carry no information, and yet they were seen.
        gram = data.design.gram(np.ones(data.n_rows) if weight is None else (weight > 0.0).astype(float))
        length = np.sqrt(gram.diagonal())
        length = np.where(length > 0.0, length, 1.0)  # a column of zeros is a direction of its own
        basis, _ = np.linalg.qr(Gram(gram / np.outer(length, length)).nullspace())
        fit.__dict__["_hidden"] = (length, basis)
    return fit.__dict__["_hidden"]


def warn_of_unseen(fit: Any, rows: Any) -> None:
    """Warn of new rows where aliased columns are not the combination of others that they were on the rows of the fit."""
    if fit.fitted.kept.all():
        return
    found = unseen_rows(fit, rows)
    if found.any():
        warnings.warn(
            f"predictions of {where(found)} of the new data are not estimable: {'; '.join(fit.fitted.alias_notes)}, but not "
            "there, and its coefficient counts as 0",
            UserWarning,
            stacklevel=4,
        )


def unseen_rows(fit: Any, rows: Any) -> Array:
    """Return which rows of a `natfit.models.rows.NewRows` the data don't tell the mean of, (m,)."""
    length, hidden = hidden_directions(fit)
    along = [rows.design.matvec(direction / length) for direction in hidden.T]
    away = np.sqrt(np.sum(np.square(along), axis=0))
    # Most rows lie in the span, and rounding leaves next to nothing of them; only the others are made dense.
    looked = np.flatnonzero(away > ROUNDING / np.sqrt(fit.nobs))
    found = np.zeros(rows.design.shape[0], dtype=bool)
    for start in range(0, looked.size, LOOKED_AT):
        some = looked[start : start + LOOKED_AT]
        found[some] = unseen(fit, rows.design.take(some).dense())
    if rows.kept is None:
        return found
    whole = np.zeros(len(rows.kept), dtype=bool)
    whole[rows.kept] = found
    return whole


def of_rows(fit: GLMResults, rows: Any) -> Array:
    """Return x' cov x of each row of a `natfit.models.rows.NewRows`, (m,).

    NaN where x loads on a separated coefficient, or on what aliased columns leave unseen.
    """
    lost = np.isnan(fit._cov.diagonal())
    if not lost.any():
        return rows.quadratic(fit._cov)
    variance = rows.quadratic(np.where(lost | lost[:, None], 0.0, fit._cov))
    if not fit.fitted.kept.all():
        variance = np.where(unseen_rows(fit, rows), np.nan, variance)
    running = lost & fit.fitted.kept
    return (
        np.where(rows.quadratic(np.diag(running.astype(float))) > 0.0, np.nan, variance) if running.any() else variance
    )


def inverse(fit: GLMResults, metric: Metric) -> Array:
    """Invert the information of the kept columns; NaN where separation leaves a coefficient without an estimate."""
    if fit.fitted.separation is None:
        return metric.inverse()
    # In the limit the separated rows carry no information. Without one column for each direction that runs off the rest
    # is regular, and the coefficients that stay finite have the same covariance whichever column that is.
    kept, lost = fit.fitted.kept, fit.fitted.separation.columns[fit.fitted.kept]
    rest = np.flatnonzero(~fit.fitted.separation.pivots[kept])
    found = np.full((metric.size, metric.size), np.nan)
    if rest.size:
        found[np.ix_(rest, rest)] = Gram(metric.matrix_form()[np.ix_(rest, rest)]).inverse()
    found[lost, :] = np.nan
    found[:, lost] = np.nan
    return found


def spread(fit: GLMResults, kept_cov: Array) -> Array:
    """Return a covariance of the kept coefficients as one of all p; NaN for those that are aliased."""
    kept = fit.fitted.kept
    if kept.all():
        return kept_cov
    full = np.full((kept.size, kept.size), np.nan)
    full[np.ix_(kept, kept)] = kept_cov
    return full
