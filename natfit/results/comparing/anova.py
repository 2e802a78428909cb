"""Analysis of deviance: of one fit, term after term or each term by itself, and of several nested fits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.results.comparing.comparison import (
    STATISTICS,
    Outcome,
    Submodel,
    check_reduction,
    chi2,
    compare,
    resolve_test,
    wald_statistic,
)
from natfit.results.terms import Term, check_coding, columns_of, terms_of

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]

SHAPES = ("held", "estimated")


def anova(
    *fits: GLMResults,
    test: str | None = None,
    typ: int | str = 1,
    shape: str = "held",
    names: Sequence[str] | None = None,
) -> Any:
    """Return an analysis-of-deviance table: of one fit's terms, or of several nested fits.

    Parameters
    ----------
    *fits : GLMResults or DistributionalResults
        One fit, or several of the same rows, response, family and link, each nested in the next or the next in it. Of
        distributional regressions all parameters' terms are in one table, and tests are likelihood ratios.
    test : {"LRT", "score", "Wald", "F"}, optional
        Likelihood ratio, Rao's score (with the expected information), Wald's (with the fit's own ``cov_type``), or F. By
        default Wald where ``cov_type`` is robust, for likelihoods rest on what it does not trust; F where the dispersion
        is estimated; else LRT.
    typ : {1, 2, 3}
        Of one fit: 1 adds the terms one after the other, in the order written, as R's ``anova``; 2 and 3 test each term
        by itself, as R's ``car::Anova``. Type 2 leaves out the terms that contain it; type 3 leaves out its columns
        alone.
    shape : {"held", "estimated"}
        Of one fit that estimated an alpha: hold it, as R does, or estimate it again in each smaller model. Several fits
        have each its own.
    names : sequence of str, optional
        What to call the fits; 1, 2, ... where left out.

    Returns
    -------
    DataFrame
        With R's column names.

    Raises
    ------
    ValueError
        If fits differ in their rows, response, weights, family or link, or are not nested.

    Notes
    -----
    A statistic is the difference of deviances over the dispersion of the largest model (its Pearson statistic over its
    degrees of freedom, unless the fit says otherwise), as in R. Fits that each estimated an alpha are compared by their
    log-likelihoods. A type 3 table tests what the coding in use makes of a main effect beside its interactions: with
    treatment contrasts that is the effect at the reference levels, and sum contrasts, ``C(a, contr.sum)``, make it the
    average one; it is not changed here.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, section 2.3. Fox & Weisberg (2019), An R Companion to Applied
    Regression, section 6.5.

    Examples
    --------
    >>> import natfit as nf
    >>> crabs = nf.datasets.load("crabs")
    >>> fit = nf.GLM.from_formula("sat ~ width + C(color)", crabs, family="poisson").fit()
    >>> anova(fit).round(3)
               Df  Deviance  Resid. Df  Resid. Dev  Pr(>Chi)
    NULL      NaN       NaN      172.0     632.792       NaN
    width     1.0    64.913      171.0     567.879     0.000
    C(color)  3.0     8.534      168.0     559.345     0.036
    """
    if any(_is_distributional(fit) for fit in fits):
        return _distributional(fits, test, _type(typ), names)
    for fit in fits:
        check_kind(fit, "anova")
        check_reduction(fit, test)
    if shape not in SHAPES:
        raise ValueError(f"shape must be 'held' or 'estimated', got {shape!r}")
    if not fits:
        raise ValueError("anova needs a fit, or several to compare")
    if len(fits) > 1:
        from natfit.results.comparing.nested import several

        return several(list(fits), test, names)
    kind = _type(typ)
    if kind == 1:
        return _sequential(fits[0], resolve_test(test, fits[0]), shape)
    return _by_term(fits[0], resolve_test(test, fits[0]), kind, shape)


def _is_distributional(fit: Any) -> bool:
    from natfit.results.distributional.results import DistributionalResults

    return isinstance(fit, DistributionalResults)


def _distributional(fits: Sequence[Any], test: str | None, typ: int, names: Sequence[str] | None) -> Any:
    """Return the table of fits of distributional regressions, whose parameters are compared by likelihood ratios alone."""
    from natfit.results.distributional.deviance import of_terms, several

    other = [type(fit).__name__ for fit in fits if not _is_distributional(fit)]
    if other:
        raise TypeError(f"anova compares fits of one kind, and these are DistributionalResults and {other[0]}")
    if test not in (None, "LRT"):
        raise ValueError(
            f"test must be 'LRT' for distributional regressions, got {test!r}; their wald_test has the others"
        )
    return several(fits, names) if len(fits) > 1 else of_terms(fits[0], typ)


def check_kind(fit: Any, what: str) -> None:
    """Refuse what is not a GLM's fit."""
    from natfit.results.glm import GLMResults

    if not isinstance(fit, GLMResults):
        raise TypeError(f"{what} takes fits of GLMs, got {type(fit).__name__}")


def _type(typ: int | str) -> int:
    kinds = {"1": 1, "2": 2, "3": 3, "i": 1, "ii": 2, "iii": 3}
    if str(typ).lower() not in kinds:
        raise ValueError(f"typ must be 1, 2 or 3, got {typ!r}")
    return kinds[str(typ).lower()]


def degrees_of_dispersion(fit: GLMResults) -> float:
    """Return the degrees of freedom of a fit's dispersion: infinite where it is known."""
    return fit.df_resid if isinstance(fit.dispersion, str) else np.inf


def columns_of_test(tested: Sequence[Outcome | None], test: str, deviance_is_statistic: bool = True) -> dict[str, Any]:
    """Return a table's columns of statistic and p-value; a likelihood ratio at known dispersion is the deviance itself."""
    statistics = [np.nan if each is None else each.statistic for each in tested]
    pvalues = [np.nan if each is None else each.pvalue for each in tested]
    if test == "LRT" and deviance_is_statistic:
        return {"Pr(>Chi)": pvalues}
    return {STATISTICS[test]: statistics, ("Pr(>F)" if test == "F" else "Pr(>Chi)"): pvalues}


def _sequential(fit: GLMResults, test: str, shape: str) -> Any:
    """Add the terms one after the other."""
    import pandas as pd

    terms = terms_of(fit.model)
    constants = [term for term in terms if term.is_constant]
    rest = [term for term in terms if not term.is_constant]
    sets = [constants + rest[:k] for k in range(len(rest) + 1)]
    for each in sets:
        check_coding(fit.model, each)
    models = [Submodel(fit, columns_of(each), shape) for each in sets]
    df = degrees_of_dispersion(fit)
    tested = [
        None,
        *(compare(small, large, test, fit.scale, df) for small, large in pairwise(models)),
    ]
    deviances = np.array([model.deviance for model in models])
    ranks = np.array([model.rank for model in models], dtype=float)
    free = shape == "estimated" and fit.shape is not None
    columns = {
        "Df": np.append(np.nan, np.diff(ranks)),
        "Deviance": np.append(np.nan, -np.diff(deviances)),
        "Resid. Df": fit.model.wnobs - ranks,
        "Resid. Dev": deviances,
        **columns_of_test(tested, test, not free),
    }
    return pd.DataFrame(columns, index=["NULL", *(term.name for term in rest)])


def _by_term(fit: GLMResults, test: str, kind: int, shape: str) -> Any:
    """Test each term by itself: without those that contain it (type 2), or beside all others (type 3)."""
    import pandas as pd

    terms = terms_of(fit.model)
    rest = [term for term in terms if not term.is_constant]
    pairs = [_pair(fit, term, terms, kind, shape) for term in rest]
    df = degrees_of_dispersion(fit)
    # Of type 2, Wald's statistic of a term is that of it with its relatives, less that of the relatives alone: what is
    # left is orthogonal to them in the metric of the covariance (car's conjugate complement).
    tested = [
        _wald_pair(fit, small, large) if test == "Wald" else compare(small, large, test, fit.scale, df)
        for small, large in pairs
    ]
    index = [term.name for term in rest]
    degrees = [each.df for each in tested]
    if test == "F":
        residual = degrees_of_dispersion(fit)
        residual = fit.df_resid if np.isinf(residual) else residual
        sums = [small.deviance - large.deviance for small, large in pairs]
        columns: dict[str, Any] = {
            "Sum Sq": [*sums, fit.scale * residual],
            "Df": [*degrees, residual],
            "F": [*(each.statistic for each in tested), np.nan],
            "Pr(>F)": [*(each.pvalue for each in tested), np.nan],
        }
        return pd.DataFrame(columns, index=[*index, "Residuals"])
    label = {"LRT": "LR Chisq", "score": "Score Chisq", "Wald": "Wald Chisq"}[test]
    columns = {
        label: [each.statistic for each in tested],
        "Df": degrees,
        "Pr(>Chisq)": [each.pvalue for each in tested],
    }
    return pd.DataFrame(columns, index=index)


def _pair(fit: GLMResults, term: Term, terms: list[Term], kind: int, shape: str) -> tuple[Submodel, Submodel]:
    """Return the models without and with a term."""
    relatives = [other for other in terms if other.contains(term)] if kind == 2 else []
    large = [other for other in terms if other not in relatives]
    small = [other for other in large if other is not term]
    if kind == 2:
        check_coding(fit.model, small)
    return Submodel(fit, columns_of(small), shape), Submodel(fit, columns_of(large), shape)


def _wald_pair(fit: GLMResults, small: Submodel, large: Submodel) -> Outcome:
    every = np.arange(fit.fitted.kept.size)
    without, beside = (fit.fitted.kept & ~np.isin(every, model.columns) for model in (small, large))
    above = wald_statistic(fit, beside) if beside.any() else 0.0
    df = int(without.sum() - beside.sum())
    return chi2(wald_statistic(fit, without) - above, df) if df else Outcome(np.nan, 0, np.nan)
