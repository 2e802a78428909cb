"""What statsmodels' arguments of a fit mean to natfit."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.families.response import Response
from natfit.models import bias_reduction as bias
from natfit.models.data import GLMData
from natfit.models.fitting import Settings
from natfit.optimize.lazy import Lazy
from natfit.optimize.optimizer import as_optimizer
from natfit.optimize.stopping import Change, Decrement, Stop
from natfit.results.cov_type import CovarianceType, read

IGNORED = {"wls_method", "attach_wls", "optim_hessian", "max_start_irls", "skip_hessian", "warn_convergence"}
"""Arguments that steer statsmodels' own machinery and change no number here."""


def resolve_dispersion(family: Response, dispersion: float | str | None) -> float | str:
    """Return the dispersion as a number, or the name of what estimates it: "pearson", "deviance" or "ml".

    Examples
    --------
    >>> from natfit.families import Gamma, Poisson
    >>> resolve_dispersion(Poisson(), None), resolve_dispersion(Gamma(), None), resolve_dispersion(Poisson(), "X2")
    (1.0, 'pearson', 'pearson')
    """
    if dispersion is None:
        return "pearson" if family.dispersion is None else float(family.dispersion)
    if isinstance(dispersion, str):
        name = {"x2": "pearson", "dev": "deviance"}.get(dispersion.lower(), dispersion.lower())
        if name not in ("pearson", "deviance", "ml"):
            raise ValueError(f"the dispersion must be a number, 'pearson', 'deviance' or 'ml', got {dispersion!r}")
        if name == "ml" and family.dispersion is not None:
            raise ValueError(
                f"the {family.name} family's likelihood has no dispersion to maximize over; use 'pearson' or 'deviance' "
                "for a quasi-likelihood"
            )
        return name
    if not 0.0 < float(dispersion) < np.inf:
        raise ValueError(f"the dispersion must be a finite number greater than 0, got {dispersion}")
    return float(dispersion)


def resolve_covariance(
    method: str, cov_type: str, cov_kwds: dict[str, Any] | None, data: GLMData, extra: dict[str, Any]
) -> CovarianceType:
    """Return the covariance asked for; any method but IRLS means the observed information, as in statsmodels."""
    scoring = method.lower() in ("irls", "natural_gradient") or extra.get("optim_hessian") == "eim"
    return read(cov_type if scoring or cov_type != "nonrobust" else "OIM", cov_kwds, data)


def check_start(start_params: Any, size: int) -> np.ndarray | None:
    """Return start_params as an array, or refuse what is not one finite number for each coefficient."""
    if start_params is None:
        return None
    start = np.asarray(start_params, dtype=float)
    if start.shape != (size,):
        raise ValueError(
            f"start_params needs one number for each of the {size} coefficients; it has shape {start.shape}"
        )
    if not np.isfinite(start).all():
        raise ValueError("start_params must be finite numbers")
    return start


def resolve_reduction(
    bias_reduction: str | None, dispersion: float | str, family: Response, optimizer: Any
) -> bias.Reduction | None:
    """Return how to reduce bias, or None; refuse what it can't be done for."""
    kind = bias.resolve(bias_reduction)
    if kind is None:
        return None
    if getattr(family, "alpha", None) == "ml":
        raise ValueError(
            "bias reduction needs a known alpha; fit without it first and give that fit's alpha: "
            "family=NegativeBinomial(alpha=0.5)"
        )
    if kind == "mean" and optimizer is not None:
        raise ValueError(
            "bias_reduction='mean' solves adjusted scores, which no objective belongs to: leave optimizer out"
        )
    return bias.Reduction(kind, dispersion)


def make_settings(
    start_params: np.ndarray | None,
    maxiter: int,
    tol: float | None,
    optimizer: Any,
    rank: str,
    extra: dict[str, Any],
    reduction: bias.Reduction | None = None,
) -> Settings:
    """Return the settings of a fit, or refuse an argument that is not one."""
    if rank not in ("drop", "raise"):
        raise ValueError(f"rank must be 'drop' or 'raise', got {rank!r}")
    if int(maxiter) < 0:
        raise ValueError(f"maxiter must be 0 (evaluate the start only) or more, got {maxiter}")
    extra = dict(extra)
    lazy = Lazy(random_state=_seed(extra.pop("random_state", None)))
    known = {"tol_criterion", "atol", "rtol", "scaletype"} | IGNORED
    for name in extra:
        if name not in known:
            raise TypeError(f"fit got an unexpected argument {name!r}")
    return Settings(
        start_params=start_params,
        max_iterations=int(maxiter),
        stop=make_stop(tol, extra) if reduction is None or tol is not None or extra else Decrement(bias.DIGITS),
        optimizer=None if optimizer is None else as_optimizer(optimizer),
        rank=rank,
        reduction=reduction,
        lazy=lazy,
    )


def _seed(random_state: Any) -> int:
    """Return the seed of the samples that a fit of many rows begins on."""
    if random_state is None:
        return 0
    if not isinstance(random_state, int | np.integer) or isinstance(random_state, bool) or random_state < 0:
        raise ValueError(
            f"random_state seeds the samples of a large fit: a whole number of 0 or more, or None; got {random_state!r}"
        )
    return int(random_state)


def make_stop(tol: float | None, extra: dict[str, Any]) -> Stop:
    """Return the stopping rule: the decrement, unless statsmodels' own is asked for."""
    atol, rtol = extra.get("atol"), extra.get("rtol", 0.0)
    asked = tol is not None or atol is not None or "rtol" in extra
    criterion = extra.get("tol_criterion") or ("deviance" if asked else "decrement")
    if criterion == "decrement":
        return Decrement(1e-12 if tol is None else tol)
    absolute = atol if atol is not None else (1e-8 if tol is None else tol)
    if not (absolute >= 0.0 and rtol >= 0.0):
        raise ValueError(f"tolerances must be 0 or more, got {absolute} and {rtol}")
    return Change(criterion, absolute, rtol)
