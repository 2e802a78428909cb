"""What a bootstrap found: replicates, their spread, intervals, a table and a figure."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from natfit.results.distributional.results import DistributionalResults
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]

METHODS = ("percentile", "basic", "bca")


class BootstrapResults:
    """Replicates of a fit's estimates; made by ``fit.bootstrap()``.

    Attributes
    ----------
    estimate : Series
        What the fit itself has.
    replicates : (n, p) DataFrame
        One row for each replicate; NaN in those without a maximum, which every other number leaves out.
    n, n_used : int
        Replicates, and those that have a maximum.
    left_out : dict of str to int
        How many are left out, by reason.
    kind : str
        What was drawn: "case", "parametric" or "cluster".
    entropy
        The seed: ``fit.bootstrap(..., random_state=boot.entropy)`` makes the same replicates again where it was started from
        a number, a generator or nothing.
    """

    def __init__(
        self,
        fit: GLMResults | DistributionalResults,
        kind: str,
        estimate: Array,
        names: Sequence[Any],
        values: Array,
        trouble: Sequence[str],
        acceleration: Callable[[], Array],
        entropy: Any,
    ):
        import pandas as pd

        self.fit, self.kind, self.entropy = fit, kind, entropy
        self.estimate = pd.Series(estimate, index=list(names))
        self.replicates = pd.DataFrame(values, columns=list(names))
        used = np.array([not why for why in trouble])
        self.n, self.n_used = len(trouble), int(used.sum())
        self.left_out = dict(sorted(Counter(why for why in trouble if why).items()))
        self._values = values[used]
        self._acceleration = acceleration
        if self.left_out:
            from natfit.results.warnings import ConvergenceWarning

            warnings.warn(
                f"{self._told()}; what is made of the others may be biased.", ConvergenceWarning, stacklevel=4
            )

    def _told(self) -> str:
        parts = ", ".join(f"{count} {why}" for why, count in self.left_out.items())
        return f"{self.n - self.n_used} of {self.n} replicates have no maximum ({parts}) and are left out"

    def __repr__(self) -> str:
        return f"<BootstrapResults: {self.kind}, {self.n_used} of {self.n} replicates>"

    def _series(self, values: Array) -> Any:
        import pandas as pd

        return pd.Series(values, index=self.estimate.index)

    @cached_property
    def bse(self) -> Any:
        """Standard errors: standard deviations of the replicates, over n - 1."""
        return self._series(np.sqrt(np.diag(self.cov_params())))

    @cached_property
    def bias(self) -> Any:
        """Means of the replicates less the estimates."""
        return self._series(self._values.mean(axis=0)) - self.estimate

    def cov_params(self) -> Any:
        """Return the covariance of the replicates, (p, p), a DataFrame."""
        import pandas as pd

        self._need(2, "a standard error")
        away = self._values - self._values.mean(axis=0)
        names = self.estimate.index
        return pd.DataFrame(away.T @ away / (self.n_used - 1), index=names, columns=names)

    def _need(self, least: int, what: str) -> None:
        if self.n_used < least:
            raise ValueError(
                f"{what} needs {least} or more replicates that have a maximum, and there are {self.n_used}"
            )

    def conf_int(self, alpha: float = 0.05, method: str = "percentile") -> Any:
        """Return limits, a DataFrame of (p, 2).

        Parameters
        ----------
        alpha : float
            One less the level.
        method : {"percentile", "basic", "bca"}
            "percentile": quantiles of the replicates. "basic": twice the estimate less those. "bca": quantiles at levels
            corrected for bias and acceleration; NaN where all replicates lie on one side of the estimate.

        Raises
        ------
        ValueError
            For another method, or so few replicates that there is no such quantile.

        Notes
        -----
        The p-quantile of B replicates is their (B + 1) p-th in order, interpolated (Davison and Hinkley, 1997, section 2.2).
        BCa: Efron (1987), JASA 82, with the acceleration from one-step deletions
        (`natfit.results.bootstrap.acceleration`), so that no observation is left out and fitted again; of a statistic
        of the user's own, with alpha estimated, or of a distributional fit, from refits without a part of the rows.
        scipy's ``bootstrap`` resamples arrays that a function is applied to, which a refit from weights is not; its BCa
        formula is this one.
        """
        import pandas as pd

        if method not in METHODS:
            raise ValueError(f"method must be 'percentile', 'basic' or 'bca', got {method!r}")
        if not 0.0 < alpha < 1.0:
            raise ValueError(f"alpha must be a number between 0 and 1, got {alpha}")
        self._need(int(np.ceil(2.0 / alpha - 1e-9)) - 1, f"an interval of level {1.0 - alpha:g}")
        estimate = self.estimate.to_numpy()
        if method == "bca":
            limits = np.array([self._quantiles(j, levels) for j, levels in enumerate(self._corrected(alpha))])
        else:
            both = np.array([alpha / 2.0, 1.0 - alpha / 2.0])
            limits = np.array([self._quantiles(j, both) for j in range(len(estimate))])
            limits = limits if method == "percentile" else (2.0 * estimate[:, None] - limits)[:, ::-1]
        return pd.DataFrame(limits, index=self.estimate.index)

    def _quantiles(self, column: int, levels: Array) -> Array:
        values = self._values[:, column]
        if np.isnan(values).any() or np.isnan(levels).any():
            return np.full(2, np.nan)
        return np.quantile(values, levels, method="weibull")

    @cached_property
    def acceleration(self) -> Any:
        """The acceleration that BCa intervals use."""
        return self._series(self._acceleration())

    @cached_property
    def bias_correction(self) -> Any:
        """z0 of BCa intervals: the normal quantile of the share of replicates below the estimate, ties half."""
        estimate = self.estimate.to_numpy()
        below = (self._values < estimate).mean(axis=0) + 0.5 * (self._values == estimate).mean(axis=0)
        return self._series(special.ndtri(below))

    def _corrected(self, alpha: float) -> Array:
        """Return the levels of BCa limits, (p, 2)."""
        z0, a = self.bias_correction.to_numpy()[:, None], self.acceleration.to_numpy()[:, None]
        z = z0 + special.ndtri(np.array([alpha / 2.0, 1.0 - alpha / 2.0]))
        with np.errstate(all="ignore"):
            return np.where(np.isfinite(z0), special.ndtr(z0 + z / (1.0 - a * z)), np.nan)

    def summary_frame(self, alpha: float = 0.05, method: str = "percentile") -> Any:
        """Return a DataFrame of ``estimate``, ``bias``, ``bse``, ``lower``, ``upper``."""
        import pandas as pd

        limits = self.conf_int(alpha, method).to_numpy()
        columns = {"estimate": self.estimate, "bias": self.bias, "bse": self.bse}
        return pd.DataFrame({**columns, "lower": limits[:, 0], "upper": limits[:, 1]})

    def summary(self, alpha: float = 0.05, method: str = "percentile") -> Any:
        """Return the table, as statsmodels makes them: ``print(boot.summary())``, ``.as_html()``, ``.as_latex()``."""
        from statsmodels.iolib.table import SimpleTable
        from statsmodels.iolib.tableformatting import fmt_params

        from natfit.results.tables import Summary

        frame = self.summary_frame(alpha, method)
        headers = ["estimate", "bias", "std err", f"[{alpha / 2:g}", f"{1 - alpha / 2:g}]"]
        rows = [[f"{value:.4f}" if abs(value) < 1e4 else f"{value:.4g}" for value in row] for row in frame.to_numpy()]
        table = SimpleTable(
            rows, headers, [str(name) for name in frame.index], f"Bootstrap ({self.kind})", txt_fmt=fmt_params
        )
        summary = Summary()
        summary.tables.append(table)
        said = [f"{self.n_used} replicates; {method} limits."]
        summary.add_extra_txt([f"{self._told()}.", *said] if self.left_out else said)
        return summary

    def plot(self, columns: Sequence[Any] | None = None, alpha: float = 0.05, method: str = "percentile") -> Any:
        """Draw a histogram of the replicates of each estimate, with the estimate and its limits.

        Parameters
        ----------
        columns : sequence of names, optional
            Which; all by default.
        alpha, method
            Of the limits.

        Returns
        -------
        ndarray of matplotlib Axes
        """
        from natfit.diagnostics.plots.bootstrap import plot_bootstrap

        return plot_bootstrap(self, list(self.estimate.index) if columns is None else list(columns), alpha, method)
