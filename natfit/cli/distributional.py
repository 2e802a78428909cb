"""What ``natfit fit`` does where a formula has several parts, or the family is one of distributional regression's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from natfit.cli.scope import _from_nowhere

if TYPE_CHECKING:
    import pandas as pd

    from natfit.models.distributional.model import DistributionalRegression

GLM_ONLY = ("exposure", "var_weights", "trials", "dispersion", "use_t")
"""Options that a GLM has and a distributional regression has no meaning for."""


def is_distributional(formula: str, family: str) -> bool:
    """Say whether a formula and a family ask for predictors of several parameters.

    Examples
    --------
    >>> is_distributional("y ~ x | z", "gaussian"), is_distributional("y ~ x", "poisson")
    (True, False)
    >>> is_distributional("y ~ x", "beta"), is_distributional("y ~ x", "tweedie(1.5)")
    (True, False)
    """
    if "|" in formula:
        from natfit.models.distributional.data import split_formula

        if len(split_formula(formula)) > 1:
            return True
    from natfit.families import registry
    from natfit.families.response import Response

    name = family.partition("(")[0].strip()
    try:
        entry: Any = registry.REGISTRY.entry(name)
    except ValueError:
        entry = None
    if isinstance(entry, type) and issubclass(entry, Response):
        return False
    from natfit.families.distributional.registry import is_known

    return is_known(name)


def build(formula: str, table: pd.DataFrame, asked: dict[str, Any]) -> DistributionalRegression:
    """Return the model; everything that is wrong with formula, columns, family or link is found here."""
    from natfit.models.distributional.model import DistributionalRegression
    from natfit.results.distributional.results import read_covariance

    read_covariance(asked["cov_type"])
    for name in GLM_ONLY:
        if asked[name]:
            raise ValueError(
                f"--{name.replace('_', '-')} is for generalized linear models, and this is a distributional regression "
                f"({asked['family']}); leave it out"
            )
    names = ("family", "offset", "freq_weights", "missing")
    model: DistributionalRegression = _from_nowhere(
        DistributionalRegression.from_formula,
        formula,
        table,
        links=asked["link"],
        **{name: asked[name] for name in names},
    )
    return model


def settings(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the model's fit."""
    return {name: asked[name] for name in ("maxiter", "tol", "cov_type", "rank")}
