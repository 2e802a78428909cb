"""statsmodels' generic tools on a natfit fit: influence, marginal effects, score tests, its other table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from statsmodels.base._parameter_inference import score_test as statsmodels_score_test
from statsmodels.discrete.discrete_margins import DiscreteMargins
from statsmodels.iolib.summary2 import Summary as Summary2
from statsmodels.stats.contrast import MultiCompResult, t_test_multi
from statsmodels.stats.outliers_influence import GLMInfluence

from natfit.results.drop_in.view import FitView, require_identified

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]


def hat_matrix_diag(fit: GLMResults, observed: bool) -> Array:
    """Return the leverages w_i x_i' F^-1 x_i, (n,), F the observed or the expected information and w_i its weights."""
    from natfit.results.covariance import covariance

    require_identified(fit, "a leverage")
    inverse = covariance(fit, "oim" if observed else "eim") / fit.scale
    view = FitView(fit)
    return -view.model.hessian_factor(view.params, 1.0, observed) * fit.model.new_rows().quadratic(inverse)


def influence(fit: GLMResults, observed: bool) -> GLMInfluence:
    """Return statsmodels' influence measures of a fit, on its design weighted by the information of the rows."""
    hat = hat_matrix_diag(fit, observed)
    view = FitView(fit)
    root = np.sqrt(-view.model.hessian_factor(view.params, None, observed))
    made = GLMInfluence(
        view,
        endog=root * view.model.endog,
        exog=root[:, None] * view.model.exog,
        resid=np.asarray(fit.resid_pearson) / np.sqrt(fit.scale),
        hat_matrix_diag=hat,
    )
    made.model_class = type(fit.model)
    return made


def marginal_effects(fit: GLMResults, *options: Any) -> DiscreteMargins:
    """Return statsmodels' marginal effects of a fit; ``options`` are at, method, atexog, dummy and count."""
    require_identified(fit, "a marginal effect")
    data = fit.model.data
    if data.offset is not None or data.exposure is not None:
        raise NotImplementedError(
            "statsmodels' marginal effects know no offset or exposure, and this model has one; take differences of "
            "get_prediction instead"
        )
    return DiscreteMargins(FitView(fit), options)


def score_test(
    fit: GLMResults, exog_extra: Any, params_constrained: Any, k_constraints: int | None, **options: Any
) -> Any:
    """Return statsmodels' score test of restrictions, or of columns left out of a fit."""
    require_identified(fit, "a score test")
    view = FitView(fit, fit.df_resid + (k_constraints or 0))
    return statsmodels_score_test(
        view, exog_extra, params_constrained=params_constrained, k_constraints=k_constraints, **options
    )


def summary2(fit: GLMResults, yname: Any, xname: Any, title: str | None, alpha: float, float_format: str) -> Summary2:
    """Return statsmodels' second kind of table, with natfit's reservations below it."""
    from natfit.results.summary import notes

    table = Summary2()
    table.add_base(results=fit, alpha=alpha, float_format=float_format, xname=xname, yname=yname, title=title)
    for note in notes(fit):
        table.add_text(note)
    return table


def t_test_pairwise(fit: GLMResults, term: str, method: str | list[str], alpha: float, labels: Any) -> MultiCompResult:
    """Return statsmodels' tests of every two levels of a factor against each other, with p-values for many tests."""
    coding, columns, levels = _main_effect(fit, term)
    named = levels if labels is None else list(labels)
    if len(named) != len(levels):
        raise ValueError(
            f"factor_labels needs one label for each of the {len(levels)} levels of {term}; got {len(named)}"
        )
    first, second = np.triu_indices(len(levels), 1)
    contrasts = np.zeros((first.size, fit.fitted.kept.size))
    contrasts[:, columns] = coding[second] - coding[first]
    pairs = [f"{named[j]}-{named[i]}" for i, j in zip(first, second, strict=True)]
    frame = t_test_multi(fit, contrasts, method=method, alpha=alpha, contrast_names=pairs)
    return MultiCompResult(
        result_frame=frame, contrasts=contrasts, term=term, contrast_labels=pairs, term_encoding_matrix=coding
    )


def _main_effect(fit: GLMResults, term: str) -> tuple[Array, slice, list[Any]]:
    """Return a factor's coding, (levels, columns), its columns, and its levels."""
    data = fit.model.data
    terms = dict(data.terms)
    factors = {} if data.frozen is None else {n: f for n, f in data.frozen.factors.items() if f.kind == "categorical"}
    known = [name for name in terms if name in factors]
    if term not in known or data.chosen is not None:
        raise ValueError(
            f"pairwise tests need a factor of the model's formula, all its columns kept; {term!r} is none"
            + (f" (there is {', '.join(known)})" if known else "")
        )
    plan, columns = factors[term], terms[term]
    coding = plan.full if columns.stop - columns.start == len(plan.full.names) else plan.reduced
    matrix = np.eye(len(plan.levels))[:, coding.pick] if coding.table is None else np.asarray(coding.table)
    return matrix, columns, list(plan.levels)
