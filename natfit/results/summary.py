"""The printed table of a fit, in statsmodels' form and by statsmodels' own table maker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.results import robust

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

DISPERSIONS = {
    "ml": "maximum likelihood",
    "pearson": "Pearson chi2 / Df Residuals",
    "deviance": "deviance / Df Residuals",
}


def glm_summary(fit: GLMResults, yname: str | None, xname: Any, title: str | None, alpha: float) -> Any:
    """Return a `natfit.results.tables.Summary` of a GLM's fit.

    Below the table stand where the optimizer stopped (in standard errors), the parametrization and the metric, which
    dispersion the log-likelihood uses, and every reservation about the numbers.
    """
    from natfit.results.tables import Summary

    left = [
        ("Dep. Variable:", None),
        ("Model:", ["GLM"]),
        ("Model Family:", [_family_name(fit)]),
        ("Link Function:", [fit.link.name]),
        ("Method:", ["natural gradient"]),
        ("Date:", None),
        ("Time:", None),
        ("No. Iterations:", [f"{fit.fit_history['iteration']:d}"]),
        ("Covariance Type:", [fit.cov_type]),
    ]
    right = [
        ("No. Observations:", None),
        ("Df Residuals:", None),
        ("Df Model:", None),
        ("Scale:", [f"{fit.scale:#8.5g}"]),
        ("Log-Likelihood:", [f"{fit.llf:#8.5g}"]),
        ("Deviance:", [f"{fit.deviance:#8.5g}"]),
        ("Pearson chi2:", [f"{fit.pearson_chi2:#6.3g}"]),
        ("Pseudo R-squ. (CS):", [f"{fit.pseudo_rsquared('cs'):#6.4g}"]),
        ("Converged:", ["yes" if fit.converged else "NO"]),
    ]
    summary = Summary()
    heading = title or "Generalized Linear Model Regression Results"
    summary.add_table_2cols(fit, title=heading, gleft=left, gright=right, yname=yname, xname=xname)
    summary.add_table_params(fit, yname=yname, xname=xname, alpha=alpha, use_t=fit.use_t)
    summary.add_extra_txt(notes(fit))
    return summary


def _family_name(fit: GLMResults) -> str:
    name = type(fit.family).__name__
    if fit.shape is not None:
        return name
    constants = {"alpha": getattr(fit.family, "alpha", None), "var_power": getattr(fit.family, "var_power", None)}
    known = [f"{key}={value:g}" for key, value in constants.items() if isinstance(value, float)]
    return f"{name}({', '.join(known)})" if known else name


def notes(fit: GLMResults) -> list[str]:
    """Return what is to be said below the table, the reservations first."""
    if fit.rows_removed:
        return list(vars(fit)["_notes"])
    said = _reservations(fit) + fit._wald_notes
    constraints = getattr(fit, "constraints", None)
    if constraints is not None:
        said.append(
            f"Fitted under {len(constraints.constants)} linear constraint(s), which the standard errors know of."
        )
    data = fit.model.data
    if data.levels is not None:
        said.append(f"Modelled: P({data.y_name} = {data.levels[1]!r}).")
    if data.n_missing:
        said.append(f"{data.n_missing} row(s) with missing values were dropped.")
    said.extend(robust.notes(fit))
    said.extend(_shape(fit))
    said.extend(_bias_reduction(fit))
    said.append(_stopping(fit))
    said.append("Parametrization: the coefficients themselves. " + _metric(fit))
    said.append(_likelihood(fit))
    return said


def _reservations(fit: GLMResults) -> list[str]:
    said = []
    names = fit.model.exog_names
    fitted = fit.fitted
    if fitted.separation is not None:
        gone = ", ".join(n for n, s in zip(names, fitted.separation.columns, strict=True) if s)
        said.append(
            f"SEPARATION: the likelihood has no maximum at finite values of {gone}; what is printed for them is where "
            f"the optimizer stopped, and {fitted.separation.n_rows} row(s) are fitted perfectly in the limit."
        )
    elif not fit.converged:
        said.append(f"NOT CONVERGED: {fit.reason}.")
    said.extend(f"Aliased: {note}; its coefficient is not identified and counts as 0." for note in fitted.alias_notes)
    if not np.isfinite(fit.scale):
        said.append(
            "No residual degree of freedom is left to estimate the dispersion from: standard errors are not defined."
        )
    if fit.model.quasi_note:
        said.append(fit.model.quasi_note)
    return said


def _shape(fit: GLMResults) -> list[str]:
    if fit.shape is None:
        return []
    if fit.shape.boundary:
        return ["alpha = 0 (maximum likelihood lies on the boundary: the Poisson model fits no worse)."]
    return [f"alpha = {fit.shape.alpha:.6g}, standard error {fit.shape.se:.4g} (joint observed information)."]


def _bias_reduction(fit: GLMResults) -> list[str]:
    if fit.bias_reduction is None:
        return []
    if fit.bias_reduction == "firth":
        return [
            f"Bias reduction: Firth's (Jeffreys prior); penalised log-likelihood {fit.penalized_llf:.6g}. For intervals "
            "near separation prefer conf_int(method='profile')."
        ]
    same = fit.likelihood.observed_is_expected
    which = "the same as Firth's under this canonical link" if same else "no penalised likelihood belongs to them"
    return [f"Bias reduction: mean (adjusted scores; {which})."]


def _stopping(fit: GLMResults) -> str:
    if fit.fitted.separation is not None:
        return f"Stopped on the way to infinity ({fit.reason})."
    if fit.fitted.edge_rows:
        return f"Stopped at the edge of the family's domain ({fit.reason})."
    distance = np.sqrt(fit.decrement) if fit.decrement >= 0 else np.nan
    return f"Stopped {distance:.1e} standard errors from the maximum ({fit.reason})."


def _metric(fit: GLMResults) -> str:
    used = list(dict.fromkeys(row.metric for row in fit.fitted.outcome.record if row.metric))
    return f"Metric: {' then '.join(used) or 'none'} Fisher information."


def _likelihood(fit: GLMResults) -> str:
    if isinstance(fit.dispersion, float) and fit.dispersion == fit.llf_dispersion:
        return f"Log-likelihood at dispersion {fit.dispersion:g}."
    if fit.llf_dispersion != fit.scale:
        scale = DISPERSIONS.get(str(fit.dispersion), "given")
        return f"Scale: {scale}. Log-likelihood at dispersion {fit.llf_dispersion:.6g} ({DISPERSIONS['ml']})."
    how = DISPERSIONS.get(str(fit.dispersion), "given")
    return f"Log-likelihood at the scale shown ({how})."
