"""New observations of a distributional regression: predictions with limits, quantiles, draws, residuals, calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from natfit.families.distributional.base import Parameters
from natfit.results.covariance import known
from natfit.results.distributional.prediction import ParameterPrediction

Array = np.ndarray[Any, np.dtype[Any]]

CHUNK = 65_536
"""Rows whose dense designs are held at once."""


class Predicting:
    """Mixed into a distributional fit."""

    if TYPE_CHECKING:
        model: Any
        family: Any
        fitted: Any
        converged: bool

        @property
        def _cov(self) -> Array: ...
        @property
        def coefficients(self) -> Array: ...
        def _parameters(self, rows: Any, coefficients: Array | None = None) -> Parameters: ...

    # -- uncertainty of what is estimated ---------------------------------------------------------------------------

    def _predictor_covariance(self, rows: Any) -> Array:
        """Return the covariance of each row's predictors, (m, k, k), k the number of free parameters."""
        likelihood, tie = self.model.likelihood, self.model.constraints.tie
        full = tie.matrix @ known(self._cov) @ tie.matrix.T
        names = [self.family.parameter_names[k] for k in likelihood.free]
        block, found = rows.block, []
        for start in range(0, block.n_rows, CHUNK):
            part = block.rows(start, min(start + CHUNK, block.n_rows))
            dense = [part.designs[name].dense() for name in names]
            each = np.empty((part.n_rows, len(names), len(names)))
            for i, first in enumerate(names):
                for j, second in enumerate(names[: i + 1]):
                    own = full[likelihood.layout.slices[first], likelihood.layout.slices[second]]
                    each[:, i, j] = each[:, j, i] = ((dense[i] @ own) * dense[j]).sum(axis=1)
            found.append(each)
        return np.concatenate(found) if found else np.zeros((0, len(names), len(names)))

    def _gradient(self, rows: Any, function: Callable[[Parameters], Array]) -> Array:
        """Return the derivatives of a function of the parameters in each row's predictors, (m, k), by differences."""
        likelihood = self.model.likelihood
        with np.errstate(all="ignore"):
            etas = likelihood.predictors(self.coefficients, rows.block)
            found = []
            for i, eta in enumerate(etas):
                step = 1e-5 * np.maximum(np.abs(eta), 1.0)
                ends = []
                for sign in (1.0, -1.0):
                    moved = [*etas[:i], eta + sign * step, *etas[i + 1 :]]
                    ends.append(function(likelihood.parameters(moved)[0]))
                found.append((ends[0] - ends[1]) / (2.0 * step))
        return np.stack(found, axis=1)

    def get_prediction(self, exog: Any = None, what: str = "mean", *, offset: Any = None) -> ParameterPrediction:
        """Return predictions with standard errors and limits: ``.summary_frame()``, ``.conf_int()``.

        Parameters
        ----------
        exog, offset : as for `predict`
        what : str
            ``"mean"``, ``"variance"`` or the name of a parameter.

        Notes
        -----
        Standard errors are by the delta method from the covariance of all coefficients together.
        """
        names = list(self.family.parameter_names)
        rows = self.model.new_rows(exog, offset)
        theta = self._parameters(rows)

        def value(t: Parameters) -> Array:
            if what in names:
                return np.array(t[names.index(what)])
            found = self.family.mean(t) if what == "mean" else self.family.variance(t)
            if found.ndim > 1:
                raise ValueError(
                    f"the {self.family.name} family has a mean for each class; ask for a parameter: {', '.join(names)}"
                )
            return found

        if what not in (*names, "mean", "variance"):
            raise ValueError(f"what must be 'mean', 'variance' or one of {', '.join(names)}; got {what!r}")
        gradient = self._gradient(rows, value)
        variance = np.einsum("ni,nij,nj->n", gradient, self._predictor_covariance(rows), gradient)
        observed = None
        if what == "mean" and self.converged and not self.family.support.event_shape:
            observed = lambda alpha: self._limits(rows, alpha, 1000, np.random.default_rng(0))  # noqa: E731
        return ParameterPrediction(what, value(theta), variance, self._limit_scale(what), rows.label, observed)

    def _limit_scale(self, what: str) -> str:
        names = list(self.family.parameter_names)
        low, high = (self.family.support.low, self.family.support.high)
        if what in names:
            low, high = self.family.domains[names.index(what)].low, self.family.domains[names.index(what)].high
        if (low, high) == (0.0, 1.0):
            return "logit"
        return "log" if low == 0.0 or what == "variance" else "identity"

    def _draws(self, n: int, rng: np.random.Generator) -> Array:
        """Draw all coefficients from the law of the estimates in large samples, (n, p)."""
        tie, kept = self.model.constraints.tie, self.fitted.kept
        cov = self._cov[np.ix_(kept, kept)]
        if not np.isfinite(cov).all():
            raise ValueError("draws of the parameters need standard errors of all coefficients, and some have none")
        values, vectors = np.linalg.eigh(cov)
        free = np.zeros((n, kept.size))
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        free[:, kept] = self.fitted.params[kept] + rng.standard_normal((n, values.size)) @ root.T
        return free @ tie.matrix.T + tie.offset

    def _drawn_parameters(self, rows: Any, n: int, rng: np.random.Generator) -> Iterator[Parameters]:
        for coefficients in self._draws(n, rng):
            theta = self._parameters(rows, coefficients)
            if not self.family.contains(theta).all():
                raise ValueError(
                    f"draws of the coefficients lead outside the {self.family.name} family's domain; choose links whose "
                    "values all lie inside"
                )
            yield theta

    def _limits(self, rows: Any, alpha: float, n: int, rng: np.random.Generator) -> Array:
        drawn = np.array([self.family.sample(theta, rng) for theta in self._drawn_parameters(rows, n, rng)])
        how: Any = "inverted_cdf" if self.family.support.discrete else "median_unbiased"
        return np.quantile(drawn, [alpha / 2.0, 1.0 - alpha / 2.0], axis=0, method=how).T

    def prediction_interval(
        self, exog: Any = None, alpha: float = 0.05, *, n: int = 4000, random_state: Any = 0, offset: Any = None
    ) -> Any:
        """Return limits for one new observation of each row, with the uncertainty of the parameters, (m, 2).

        Parameters
        ----------
        exog, offset : as for `predict`
        alpha : float
            One less the level.
        n : int
            Draws of the coefficients from their law in large samples, and of an observation for each.
        random_state : int or numpy Generator

        Returns
        -------
        DataFrame or ndarray with columns ``lower`` and ``upper``
        """
        self._require_numbers("prediction intervals")
        rows = self.model.new_rows(exog, offset)
        limits = self._limits(rows, alpha, n, np.random.default_rng(random_state))
        return rows.label(limits, ["lower", "upper"])

    def quantile_interval(
        self,
        exog: Any = None,
        q: float = 0.5,
        alpha: float = 0.05,
        *,
        n: int = 500,
        random_state: Any = 0,
        offset: Any = None,
    ) -> Any:
        """Return a quantile of each row's law with limits for it, from draws of the coefficients; arguments as above."""
        self._require_numbers("quantiles")
        rows = self.model.new_rows(exog, offset)
        theta = self._parameters(rows)
        level = np.full(theta[0].shape, float(q))
        rng = np.random.default_rng(random_state)
        with np.errstate(all="ignore"):
            drawn = np.array([self.family.quantile(level, t) for t in self._drawn_parameters(rows, n, rng)])
            found = self.family.quantile(level, theta)
        limits = np.quantile(drawn, [alpha / 2.0, 1.0 - alpha / 2.0], axis=0)
        return rows.label(np.column_stack([found, *limits]), ["quantile", "lower", "upper"])

    def simulate(self, exog: Any = None, n: int = 1, random_state: Any = None, *, offset: Any = None) -> Any:
        """Return draws from the fitted law of each row, (m, n): a column for each draw."""
        self._require_numbers("draws")
        rows = self.model.new_rows(exog, offset)
        theta, rng = self._parameters(rows), np.random.default_rng(random_state)
        return rows.label(np.column_stack([self.family.sample(theta, rng) for _ in range(n)]), list(range(n)))

    def _require_numbers(self, what: str) -> None:
        if self.family.support.event_shape:
            raise ValueError(
                f"{what} need a response of one number, and the {self.family.name} family's has several columns"
            )

    # -- the rows of the fit ---------------------------------------------------------------------------------------

    def _tails(self) -> tuple[Array, Array]:
        """Return P(Y < y) and P(Y <= y) of the rows of the fit."""
        self._require_numbers("distribution functions, and residuals made of them,")
        family, y = self.family, self.model.data.y
        theta = self._parameters(self.model.new_rows())
        with np.errstate(all="ignore"):
            upper = family.cdf(y, theta)
            if family.support.discrete:
                mass = np.exp(family.log_prob(y, theta))
            else:
                atom = np.isin(y, family.atoms)
                mass = np.where(atom, np.exp(family.log_prob(y, theta)), 0.0)
        return np.maximum(upper - mass, 0.0), upper

    def quantile_residuals(self, random_state: Any = None) -> Any:
        """Return randomized quantile residuals, standard normal if the model holds, one for each row of the fit.

        Parameters
        ----------
        random_state : int or numpy Generator, optional
            Of the place between P(Y < y) and P(Y <= y) where a value has mass.

        Notes
        -----
        Dunn & Smyth (1996), Journal of Computational and Graphical Statistics 5, 236-244. A residual is infinite where a
        response lies further out than floating point tells from 1.
        """
        below, upto = self._tails()
        share = np.random.default_rng(random_state).uniform(size=len(below))
        return self.model.new_rows().label(special.ndtri(below + share * (upto - below)))

    @property
    def _eta(self) -> Array:
        """The first free parameter's linear predictor: what residuals are drawn against."""
        return self.model.likelihood.predictors(self.coefficients, self.model.new_rows().block)[0]

    def rootogram(self, highest: int | None = None) -> Any:
        """Return observed and expected numbers of rows for each count, a DataFrame by count.

        Parameters
        ----------
        highest : int, optional
            The last count; by default the largest of the data, or the 99.9th percentile of a long tail.
        """
        y, family = self.model.data.y, self.family
        if not family.support.discrete or family.support.event_shape:
            raise ValueError(f"a rootogram is for counts, and the {family.name} family's response is none")
        last = int(min(y.max(), np.ceil(np.quantile(y, 0.999)) + 1.0)) if highest is None else int(highest)
        theta, weight = self._parameters(self.model.new_rows()), self.model.data.freq_weights
        weight = np.ones(len(y)) if weight is None else weight
        counts = np.arange(int(family.support.low), last + 1)
        with np.errstate(all="ignore"):
            expected = [float(weight @ np.exp(family.log_prob(np.full(len(y), float(k)), theta))) for k in counts]
        observed = [float(weight[y == k].sum()) for k in counts]
        import pandas as pd

        return pd.DataFrame({"observed": observed, "expected": expected}, index=pd.Index(counts, name="count"))

    def pit(self, bins: int = 10) -> Array:
        """Return the shares of the probability integral transform in equal bins: 1 / bins each where the model holds.

        Notes
        -----
        For counts not randomized: Czado, Gneiting & Held (2009), Biometrics 65, 1254-1261.
        """
        below, upto = self._tails()
        edges = np.linspace(0.0, 1.0, bins + 1)[:, None]
        with np.errstate(all="ignore"):
            inside = np.where(upto > below, (edges - below) / (upto - below), np.where(edges >= upto, 1.0, 0.0))
        reached = np.clip(inside, 0.0, 1.0)
        weight = self.model.data.freq_weights
        return np.diff(np.average(reached, axis=1, weights=weight))

    # -- figures ---------------------------------------------------------------------------------------------------

    def plot_residuals(self, kind: str = "all", random_state: Any = 0, ax: Any = None) -> Any:
        """Draw quantile residuals: against the first predictor, normal quantiles, as a worm, and their scale.

        Parameters
        ----------
        kind : {"all", "fitted", "qq", "worm", "scale"}
        random_state : int or numpy Generator
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes, or an array of them
        """
        from natfit.diagnostics.plots.residuals import plot_residuals

        return plot_residuals(self, kind, "quantile", random_state, ax)

    def plot_rootogram(self, highest: int | None = None, ax: Any = None) -> Any:
        """Draw a hanging rootogram: bars of the root of the observed numbers, hung from that of the expected ones.

        Source: Kleiber & Zeileis (2016), American Statistician 70, 296-303.
        """
        from natfit.diagnostics.plots.distributional import plot_rootogram

        return plot_rootogram(self, highest, ax)

    def plot_pit(self, bins: int = 10, ax: Any = None) -> Any:
        """Draw the histogram of the probability integral transform with 95 % limits of chance for each bin."""
        from natfit.diagnostics.plots.distributional import plot_pit

        return plot_pit(self, bins, ax)
