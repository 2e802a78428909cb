"""Who takes part: each peer's own way to fit a GLM, with its default settings and no penalty.

Each function takes a response, a design that holds its own constant column, and a family's name; it returns the
coefficients and their standard errors (from the expected information), or None where the peer has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from benchmarks.cases import FAMILIES

Array = np.ndarray[Any, np.dtype[Any]]
Answer = tuple[Array, Array | None]


@dataclass(frozen=True)
class Peer:
    """A package that fits GLMs.

    Parameters
    ----------
    name : str
        Of the package, as it is installed.
    fit : callable
        ``fit(y, X, family)``; imports the package itself.
    call : str
        What it runs, in words for the report.
    families : tuple of str, optional
    """

    name: str
    fit: Callable[[Array, Array, str], Answer]
    call: str
    families: tuple[str, ...] = FAMILIES

    @property
    def version(self) -> str | None:
        """The installed version, or None where the package is missing."""
        try:
            return version(self.name)
        except PackageNotFoundError:
            return None


def natfit(y: Array, X: Array, family: str) -> Answer:
    import natfit as nf

    fit = nf.GLM(y, X, family=family, link="log" if family == "gamma" else None).fit()
    return fit.params, fit.bse


def statsmodels(y: Array, X: Array, family: str) -> Answer:
    import statsmodels.api as sm

    made = {
        "gaussian": sm.families.Gaussian,
        "poisson": sm.families.Poisson,
        "binomial": sm.families.Binomial,
        "gamma": lambda: sm.families.Gamma(sm.families.links.Log()),
    }
    fit = sm.GLM(y, X, family=made[family]()).fit()
    return fit.params, fit.bse


def glum(y: Array, X: Array, family: str) -> Answer:
    from glum import GeneralizedLinearRegressor

    name = "normal" if family == "gaussian" else family
    model = GeneralizedLinearRegressor(family=name, alpha=0, fit_intercept=False).fit(X, y)
    known = 1.0 if family in ("poisson", "binomial") else None  # left alone it estimates one for these too
    bse = model.std_errors(X, y, dispersion=known, robust=False, expected_information=True)
    return model.coef_, np.asarray(bse)


def scikit_learn(y: Array, X: Array, family: str) -> Answer:
    from sklearn import linear_model

    solver: dict[str, Any] = {"fit_intercept": False, "solver": "newton-cholesky"}
    if family == "gaussian":
        return linear_model.LinearRegression(fit_intercept=False).fit(X, y).coef_, None
    if family == "binomial":
        return linear_model.LogisticRegression(C=np.inf, **solver).fit(X, y).coef_[0], None
    regressor = linear_model.PoissonRegressor if family == "poisson" else linear_model.GammaRegressor
    return regressor(alpha=0.0, **solver).fit(X, y).coef_, None


PEERS = {
    peer.name: peer
    for peer in (
        Peer("natfit", natfit, "`GLM(...).fit()` and `.bse`"),
        Peer("statsmodels", statsmodels, "`GLM(...).fit()` and `.bse`"),
        Peer(
            "glum",
            glum,
            "`GeneralizedLinearRegressor(alpha=0)` and `std_errors(robust=False, expected_information=True)`, dispersion 1 "
            "where it is known",
        ),
        Peer(
            "scikit-learn",
            scikit_learn,
            "`newton-cholesky` without a penalty (Gaussian: `LinearRegression`); it has no standard errors",
        ),
    )
}


def choose(names: list[str]) -> tuple[list[Peer], list[str]]:
    """Return the peers of these names that are installed, and the names of those that are not.

    Raises
    ------
    ValueError
        For a name that is no peer's; the message lists those that are.
    """
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise ValueError(f"unknown peer {', '.join(unknown)}: choose from {', '.join(PEERS)}")
    chosen = [PEERS[name] for name in names]
    return [p for p in chosen if p.version is not None], [p.name for p in chosen if p.version is None]
