"""What ``natfit fit`` does where a formula has several parts, or the family is one of distributional regression's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from natfit.cli.scope import _from_nowhere

if TYPE_CHECKING:
    import pandas as pd

    from natfit.models.distributional.model import DistributionalRegression

OWN = ("fixed", "constraint", "parametrization")
"""Options that a distributional regression has and a GLM has no meaning for."""
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


def by_parameter(given: Sequence[str]) -> Any:
    """Return what an option says that may be given for each parameter: a mapping, one text for the first, or None.

    Examples
    --------
    >>> by_parameter(["mean=probit", "precision=power(0.5)"]), by_parameter(["log"]), by_parameter([])
    ({'mean': 'probit', 'precision': 'power(0.5)'}, 'log', None)
    """
    pairs = [_pair(each) for each in given]
    if len(pairs) <= 1 and all(name is None for name, _ in pairs):
        return pairs[0][1] if pairs else None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name is None:
            raise ValueError(f"{value!r} stands beside others and names no parameter; write PARAMETER={value}")
        if name in found:
            raise ValueError(f"{name} was given twice, as {found[name]!r} and {value!r}; leave one out")
        found[name] = value
    return found


def _pair(text: str) -> tuple[str | None, str]:
    """Return a parameter and what stands behind its sign of equality; no parameter where a bracket comes before that."""
    name, equals, value = text.partition("=")
    if not equals or "(" in name:
        return None, text.strip()
    return name.strip(), value.strip()


def _held(given: Sequence[str]) -> dict[str, float]:
    """Return the numbers at which parameters are held."""
    found = {}
    for text in given:
        name, value = _pair(text)
        try:
            found[str(name)] = float(value)
        except ValueError:
            name = None
        if name is None:
            raise ValueError(f"--fixed takes PARAMETER=NUMBER, as in --fixed alpha=0.5; got {text!r}")
    return found


def build(formula: str, table: pd.DataFrame, asked: dict[str, Any]) -> DistributionalRegression:
    """Return the model; everything that is wrong with formula, columns, family or link is found here."""
    from natfit.models.distributional.model import DistributionalRegression
    from natfit.results.distributional.covariance import read_covariance

    for name in GLM_ONLY:
        if asked[name]:
            raise ValueError(
                f"--{name.replace('_', '-')} is for generalized linear models, and this is a distributional regression "
                f"({asked['family']}); leave it out"
            )
    names = ("family", "freq_weights", "missing", "parametrization")
    model: DistributionalRegression = _from_nowhere(
        DistributionalRegression.from_formula,
        formula,
        table,
        links=by_parameter(asked["link"]),
        offset=by_parameter(asked["offset"]),
        fixed=_held(asked["fixed"]),
        constraints=list(asked["constraint"]) or None,
        **{name: asked[name] for name in names},
    )
    read_covariance(asked["cov_type"], clusters(asked), model.data)
    return model


def clusters(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of the covariance: the column of the clusters."""
    return {} if asked["groups"] is None else {"groups": asked["groups"]}


def settings(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the model's fit."""
    found = {name: asked[name] for name in ("maxiter", "tol", "cov_type", "rank", "checkpoint")}
    return {**found, "cov_kwds": clusters(asked)}
