"""Covariances that hold where the model is wrong in its variance, or its rows depend on one another.

All are sandwiches, B M B: the bread B is the inverse information, the meat M estimates the covariance of the score from the
scores themselves. The dispersion cancels.

What each assumes of weights. A **frequency** weight f stands for f observations alike: every formula gives what the data
with each row written f times would give (in the same cluster). A **precision** or **sampling** weight (``var_weights``)
multiplies the row's score, so its square enters the meat: that is right for precisions, also for wrong ones, and for
sampling weights, where the sandwich is the only covariance here that is right: times n / (n - 1) HC0 is that of R's
``survey::svyglm``, and cluster with ``use_correction="HC0"`` that of a design with clusters. Leverage (HC2, HC3) is that of
the weighted fit. Rows of weight 0 count neither as observations nor as clusters.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.arrays import one_blas_thread
from natfit.data.groups import Grouping
from natfit.likelihoods import robust as kernels
from natfit.metric import Gram
from natfit.need import LOGLIK, MEAT, OBSERVED
from natfit.results import covariance as model_based
from natfit.results.cov_settings import counted, observations
from natfit.results.cov_type import KINDS, MODEL_BASED, OPTIONS, CovarianceType

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]

FACTORS = {
    "": "no small-sample factor",
    "rank": "times n / (n - rank)",
    "groups": "times G / (G - 1)",
    "hc1": "times G / (G - 1) (n - 1) / (n - rank)",
}
"""Small-sample factors in words."""


def settings(wanted: CovarianceType, use_t: bool) -> dict[str, Any]:
    """Return ``cov_kwds`` as statsmodels' results have them, with a description in words."""
    described = f"Standard errors from {KINDS[wanted.kind]}{_details(wanted)}."
    if wanted.kind in MODEL_BASED:
        return {"description": described}
    return {"use_t": use_t, "adjust_df": wanted.df is not None, "description": described, **wanted.asked}


def _details(wanted: CovarianceType) -> str:
    """Say in words of what groups and lags a covariance is, and with which small-sample factor."""
    parts = []
    if wanted.n_groups:
        what = "clusters" if wanted.kind == "cluster" else "series"
        parts.append(f"{' x '.join(map(str, wanted.n_groups))} {what}")
    if wanted.kind == "hac-groupsum":
        parts.append(f"{wanted.groupings[0].n_groups} points in time")
    if wanted.lag_weights is not None:
        parts.append(f"{len(wanted.lag_weights) - 1} lags")
    if wanted.kind in OPTIONS:
        parts.append(FACTORS[wanted.correction])
    return f": {', '.join(parts)}" if parts else ""


def notes(fit: GLMResults) -> list[str]:
    """Return what is to be said of a robust covariance below the table."""
    wanted = fit._cov_kind
    said: list[str] = []
    if wanted.kind in MODEL_BASED:
        return said
    said.append(fit.cov_kwds["description"])
    lost = np.isnan(fit._bse) & model_based.finite_columns(fit)
    if lost.any():
        names = ", ".join(name for name, gone in zip(fit.model.exog_names, lost, strict=True) if gone)
        why = (
            "rest on rows of leverage 1, whose residuals are 0 whatever the response"
            if wanted.kind in ("hc2", "hc3")
            else "would have a negative variance: this estimate of the covariance is not positive semi-definite"
        )
        said.append(f"NO STANDARD ERROR of {names}, which {why}.")
    rank = int(fit.fitted.kept.sum())
    if wanted.kind == "cluster" and min(wanted.n_groups) <= rank:
        said.append(
            f"With {min(wanted.n_groups)} clusters for {rank} coefficients they can't all be tested together, and single "
            "standard errors are rough."
        )
    if wanted.kind.startswith("hac") and fit.model.data.n_missing:
        said.append("The rows that are left count as consecutive, as if those dropped had not been there.")
    return said


def covariance(fit: GLMResults, wanted: CovarianceType) -> Array:
    """Return the (p, p) covariance of the coefficients; NaN in rows and columns that have none.

    Parameters
    ----------
    fit : GLMResults
    wanted : CovarianceType

    Notes
    -----
    With s_i the rows' scores, h_i their leverages in the weighted fit, n observations and rank k:

    - HC0: M = sum s_i s_i' (White, 1982, Econometrica 50; Huber, 1967). HC1: times n / (n - k). HC2: s_i s_i' / (1 - h_i).
      HC3: s_i s_i' / (1 - h_i)^2 (MacKinnon and White, 1985, Journal of Econometrics 29).
    - cluster: M = sum over clusters of S_g S_g', S_g the sum of the cluster's scores; times G / (G - 1) (n - 1) / (n - k)
      (Liang and Zeger, 1986, Biometrika 73). Two ways: that of the first plus that of the second less that of both crossed,
      each with its own factor (Cameron, Gelbach and Miller, 2011, JBES 29).
    - HAC: M = sum_l w_l sum_t (s_t s_{t-l}' + s_{t-l} s_t') (Newey and West, 1987, Econometrica 55); within series for
      panels; of scores summed by time after Driscoll and Kraay (1998).

    The bread is the observed information as in statsmodels; R's sandwich takes the expected one (``bread="expected"``),
    which differs where the link is not canonical. Leverage is that of the expected information, as R's ``hatvalues``.
    statsmodels' GLM gives HC0 under the names of HC1, HC2 and HC3 too; these here are those of R's ``vcovHC``.
    """
    if wanted.kind in MODEL_BASED:
        return model_based.covariance(fit, wanted.kind)
    white = wanted.kind in ("hc0", "hc1")
    sums = fit.evaluate(LOGLIK | OBSERVED | (MEAT if white else 0))
    finite = model_based.finite_columns(fit)
    if white:
        meat = _factor(fit, "rank" if wanted.kind == "hc1" else "") * sums["meat"].matrix_form()
    elif wanted.kind in ("hc2", "hc3"):
        meat, lost = _leveraged(fit, wanted)
        finite &= ~lost
    else:
        meat = (_clustered if wanted.kind == "cluster" else _autocorrelated)(fit, wanted)
    information = fit.fitted.metric
    if wanted.bread == "observed":
        information = Gram(sums["observed"].matrix_form()[np.ix_(fit.fitted.kept, fit.fitted.kept)])
    bread = model_based.spread(fit, model_based.inverse(fit, information))
    return wanted.scaling * model_based.sandwich(bread, meat, finite)


def _factor(fit: GLMResults, correction: str, grouping: Grouping | None = None) -> float:
    """Return a small-sample factor; NaN where no observation is left over."""
    rows, n_groups = counted(fit.model.data), 0
    if grouping is not None:
        n_groups = grouping.n_groups if rows is None else grouping.among(rows)
    n, rank = observations(fit.model.data), int(fit.fitted.kept.sum())
    left = n - rank if n > rank else np.nan
    by_groups = n_groups / (n_groups - 1.0) if n_groups > 1 else np.nan
    return {"": 1.0, "rank": n / left, "groups": by_groups, "hc1": by_groups * (n - 1.0) / left}[correction]


def _leveraged(fit: GLMResults, wanted: CovarianceType) -> tuple[Array, Array]:
    """Return the meat of HC2 or HC3, and which coefficients rows of leverage 1 leave without a variance."""
    inverse = model_based.known(model_based.spread(fit, model_based.inverse(fit, fit.fitted.metric)))
    power = 1 if wanted.kind == "hc2" else 2
    sums = fit.model.source.reduce(partial(kernels.leveraged_meat, fit.likelihood, fit._params_filled, inverse, power))
    # In units of each coefficient's own variance at unit dispersion: more than rounding.
    return sums["meat"], sums["perfect"] > kernels.FULL_LEVERAGE * inverse.diagonal()


def _clustered(fit: GLMResults, wanted: CovarianceType) -> Array:
    first, *second = wanted.groupings
    meat = _summed_meat(fit, wanted, first)
    if second:
        meat = meat + _summed_meat(fit, wanted, second[0]) - _summed_meat(fit, wanted, first.crossed(second[0]))
    return meat


def _summed_meat(fit: GLMResults, wanted: CovarianceType, grouping: Grouping) -> Array:
    total = _group_scores(fit, grouping.codes)
    with one_blas_thread():
        return _factor(fit, wanted.correction, grouping) * (total.T @ total)


def _group_scores(fit: GLMResults, codes: Array) -> Array:
    """Return the scores summed by group, (G, p)."""
    source = fit.model.source.with_columns({"group": codes})
    sums = source.reduce(partial(kernels.group_scores, fit.likelihood, fit._params_filled))
    return sums["grouped"].total()


def _autocorrelated(fit: GLMResults, wanted: CovarianceType) -> Array:
    data, weights = fit.model.data, wanted.lag_weights
    assert weights is not None
    if wanted.kind == "hac-groupsum":
        total = _group_scores(fit, wanted.groupings[0].codes)
        meat = kernels.windowed([(total, np.arange(len(total)))], weights)
    else:
        places = np.arange(data.n_rows)
        if wanted.groupings:
            starts = np.flatnonzero(np.diff(wanted.groupings[0].codes, prepend=-1))
            places = places - starts[wanted.groupings[0].codes]
        score_rows = partial(kernels.score_rows, fit.likelihood, fit._params_filled)
        parts = fit.model.source.with_columns({"place": places}).map(
            lambda block: (score_rows(block), block.columns["place"])
        )
        with one_blas_thread():  # products of a block's size, where threads cost more than they give
            meat = kernels.windowed(parts, weights)
    return _factor(fit, wanted.correction, *wanted.groupings) * meat
