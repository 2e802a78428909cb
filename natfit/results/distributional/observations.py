"""New observations of a distributional regression: predictions with limits, quantiles, draws, residuals, calibration."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from natfit.families.distributional.base import Parameters
from natfit.results.covariance import known
from natfit.results.distributional.at_rows import (
    AtRows,
    Counts,
    Tails,
    WithVariance,
    parameters,
    quantiles,
    quantity,
    share,
)
from natfit.results.distributional.prediction import ColumnPredictions, ParameterPrediction

Array = np.ndarray[Any, np.dtype[Any]]

DRAWS = 4000
"""Draws of the coefficients behind limits for new observations."""
CELLS = 1 << 22
"""Draws, of all rows together, that are held at once."""


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
        def _at(self, value: Callable[[Parameters], Any]) -> AtRows: ...

    def _parameters(self, rows: Any) -> Parameters:
        """Return the K parameters of each row; of rows that stream by, numbers alone are brought together."""
        if not rows.streamed:
            return parameters(self.model.likelihood, self.coefficients, rows.block)
        return Parameters(list(rows.each(self._at(np.column_stack)).T))

    def get_prediction(self, exog: Any = None, what: str = "mean", *, offset: Any = None) -> Any:
        """Return predictions with standard errors and limits: ``.summary_frame()``, ``.conf_int()``.

        Parameters
        ----------
        exog, offset : as for `predict`
        what : str
            ``"mean"``, ``"variance"`` or the name of a parameter. Of classes and shares, the mean is that of each: its
            probability or share, with columns of its own in the table.

        Notes
        -----
        Standard errors are by the delta method from the covariance of all coefficients together.
        """
        names = list(self.family.parameter_names)
        if what not in (*names, "mean", "variance"):
            raise ValueError(f"what must be 'mean', 'variance' or one of {', '.join(names)}; got {what!r}")
        rows = self.model.new_rows(exog, offset)
        tie, family = self.model.constraints.tie, self.family
        covariance = tie.matrix @ known(self._cov) @ tie.matrix.T
        if what not in names and family.class_names is not None:
            scale, parts = "logit" if what == "mean" else "log", []
            for j, name in enumerate(family.class_names):
                found = rows.each(WithVariance(self._at(functools.partial(share, family, what, j)), covariance))
                parts.append(ParameterPrediction(name, found[:, 0], found[:, 1], scale, rows.label, None))
            return ColumnPredictions(what, parts)
        found = rows.each(WithVariance(self._at(functools.partial(quantity, family, what)), covariance))
        observed = None
        if what == "mean" and self.converged and not family.support.event_shape and not rows.streamed:
            observed = lambda alpha: self._limits(rows, alpha, DRAWS, np.random.default_rng(0))  # noqa: E731
        scale = self._limit_scale(what)
        return ParameterPrediction(what, found[:, 0], found[:, 1], scale, rows.label, observed)

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
        unit = np.sqrt(
            cov.diagonal()
        )  # coefficients of unlike units: small ones would drown in the rounding of large ones
        unit = np.where(unit > 0.0, unit, 1.0)
        values, vectors = np.linalg.eigh(cov / np.outer(unit, unit))
        free = np.zeros((n, kept.size))
        root = unit[:, None] * vectors * np.sqrt(np.maximum(values, 0.0))
        free[:, kept] = self.fitted.params[kept] + rng.standard_normal((n, values.size)) @ root.T
        return free @ tie.matrix.T + tie.offset

    def _over_draws(
        self, rows: Any, n: int, rng: np.random.Generator, value: Callable[[Parameters], Array], levels: Any, how: str
    ) -> Array:
        """Return quantiles (m, levels) of a function of each row's parameters over draws of the coefficients."""
        if rows.streamed:
            raise ValueError(
                f"the uncertainty of the coefficients is drawn {n} times, each a pass over rows that are streamed; give a "
                "table in memory"
            )
        coefficients, found = self._draws(n, rng), []
        step = max(CELLS // n, 1)
        for start in range(0, rows.block.n_rows, step):
            block = rows.block.rows(start, min(start + step, rows.block.n_rows))
            drawn = np.empty((n, block.n_rows))
            for j, own in enumerate(coefficients):
                theta = parameters(self.model.likelihood, own, block)
                if not self.family.contains(theta).all():
                    raise ValueError(
                        f"draws of the coefficients lead outside the {self.family.name} family's domain; choose links whose "
                        "values all lie inside"
                    )
                drawn[j] = value(theta)
            found.append(np.quantile(drawn, levels, axis=0, method=how).T)  # type: ignore[call-overload]
        return np.concatenate(found) if found else np.zeros((0, len(levels)))

    def _limits(self, rows: Any, alpha: float, n: int, rng: np.random.Generator) -> Array:
        how = "inverted_cdf" if self.family.support.discrete else "median_unbiased"
        levels = [alpha / 2.0, 1.0 - alpha / 2.0]
        return self._over_draws(rows, n, rng, lambda theta: self.family.sample(theta, rng), levels, how)

    def _limits_of_shares(self, rows: Any, alpha: float, n: int, random_state: Any, n_shares: int) -> Array:
        """Return limits (m, 2 shares) for each share of a new observation by itself."""
        rng, found = np.random.default_rng(random_state), []
        for j in range(n_shares):
            one = functools.partial(lambda j, theta: self.family.sample(theta, rng)[:, j], j)
            found.append(self._over_draws(rows, n, rng, one, [alpha / 2.0, 1.0 - alpha / 2.0], "median_unbiased"))
        return np.hstack(found)

    def prediction_interval(
        self, exog: Any = None, alpha: float = 0.05, *, n: int = DRAWS, random_state: Any = 0, offset: Any = None
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
        DataFrame or ndarray with columns ``lower`` and ``upper``; of shares, (share, "lower") and (share, "upper") for
        each of them by itself
        """
        rows, shares = self.model.new_rows(exog, offset), self.family.class_names
        if shares is not None and not self.family.class_predictors:
            import pandas as pd

            columns = pd.MultiIndex.from_product([list(shares), ["lower", "upper"]])
            return rows.label(self._limits_of_shares(rows, alpha, n, random_state, len(shares)), columns)
        self._require_numbers("prediction intervals")
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
        rows, level = self.model.new_rows(exog, offset), [float(q)]
        rng = np.random.default_rng(random_state)
        own = functools.partial(quantiles, self.family, level)
        limits = self._over_draws(
            rows, n, rng, lambda theta: own(theta)[:, 0], [alpha / 2.0, 1.0 - alpha / 2.0], "linear"
        )
        return rows.label(np.column_stack([rows.each(self._at(own)), limits]), ["quantile", "lower", "upper"])

    def simulate(self, exog: Any = None, n: int = 1, random_state: Any = None, *, offset: Any = None) -> Any:
        """Return draws from the fitted law of each row, (m, n): a column for each draw."""
        self._require_numbers("draws")
        rows, rng = self.model.new_rows(exog, offset), np.random.default_rng(random_state)
        theta = self._parameters(rows)
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
        found = self.model.new_rows().each(Tails(self.model.likelihood, self.coefficients))
        return found[:, 0], found[:, 1]

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
        likelihood, coefficients = self.model.likelihood, self.coefficients
        return self.model.new_rows().each(lambda block: likelihood.predictors(coefficients, block)[0])

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
        counts = np.arange(int(family.support.low), last + 1)
        found = sum(self.model.new_rows().map(Counts(self.model.likelihood, self.coefficients, counts.tolist())))
        import pandas as pd

        return pd.DataFrame(found, columns=["observed", "expected"], index=pd.Index(counts, name="count"))

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
