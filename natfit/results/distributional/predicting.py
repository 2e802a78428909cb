"""New observations of a distributional regression: predictions with limits, quantiles, draws."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.block import Block
from natfit.families.distributional.base import DistributionalFamily, Parameters
from natfit.families.von_mises import around_zero
from natfit.results.covariance import known
from natfit.results.distributional.at_rows import (
    AtRows,
    WithVariance,
    as_it_is,
    check_draws,
    check_levels,
    parameters,
    quantiles,
    quantity,
    share,
)
from natfit.results.distributional.prediction import ColumnPredictions, ParameterPrediction
from natfit.results.prediction import check_alpha

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
        if what == "mean" and self.converged and not family.support.event_shape:
            observed = lambda alpha: self._limits(rows, alpha, DRAWS, np.random.default_rng(0))  # noqa: E731
        scale = self._limit_scale(what)
        return ParameterPrediction(what, found[:, 0], found[:, 1], scale, rows.label, observed, not rows.streamed)

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
        check_draws(n)
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
        self,
        rows: Any,
        n: int,
        rng: np.random.Generator,
        value: Callable[[DistributionalFamily, Parameters], Array],
        levels: Any,
        how: str,
        trials: Array | None = None,
    ) -> Array:
        """Return quantiles (m, levels) of a function of each row's law and parameters over draws of the coefficients."""
        coefficients, found, before = self._draws(n, rng), [], 0
        step = max(CELLS // n, 1)
        for whole in rows.map(as_it_is):
            for start in range(0, whole.n_rows, step):
                block = whole.rows(start, min(start + step, whole.n_rows))
                law = self._law(None if trials is None else trials[before + start :][: block.n_rows])
                drawn = self._drawn(coefficients, block, functools.partial(value, law))
                if self.family.circular:  # limits lie around the direction, wherever angles are counted from
                    middle = self.family.mean(parameters(self.model.likelihood, self.coefficients, block))
                    drawn = middle + around_zero(drawn - middle)
                found.append(np.quantile(drawn, levels, axis=0, method=how).T)  # type: ignore[call-overload]
            before += whole.n_rows
        return np.concatenate(found) if found else np.zeros((0, len(levels)))

    def _drawn(self, coefficients: Array, block: Block, value: Callable[[Parameters], Array]) -> Array:
        """Return a function of the parameters of a block's rows, (draws, m), at each draw of the coefficients."""
        drawn = np.empty((len(coefficients), block.n_rows))
        for j, own in enumerate(coefficients):
            theta = parameters(self.model.likelihood, own, block)
            if not self.family.contains(theta).all():
                raise ValueError(
                    f"draws of the coefficients lead outside the {self.family.name} family's domain; choose links whose "
                    "values all lie inside"
                )
            drawn[j] = value(theta)
        return drawn

    def _limits(self, rows: Any, alpha: float, n: int, rng: np.random.Generator, trials: Array | None = None) -> Array:
        how = "inverted_cdf" if self.family.support.discrete else "median_unbiased"
        levels = [alpha / 2.0, 1.0 - alpha / 2.0]
        return self._over_draws(rows, n, rng, lambda law, theta: law.sample(theta, rng), levels, how, trials)

    def _limits_of_shares(self, rows: Any, alpha: float, n: int, random_state: Any, n_shares: int) -> Array:
        """Return limits (m, 2 shares) for each share of a new observation by itself."""
        rng, found = np.random.default_rng(random_state), []
        for j in range(n_shares):
            one = functools.partial(lambda j, law, theta: law.sample(theta, rng)[:, j], j)
            found.append(self._over_draws(rows, n, rng, one, [alpha / 2.0, 1.0 - alpha / 2.0], "median_unbiased"))
        return np.hstack(found)

    def prediction_interval(
        self,
        exog: Any = None,
        alpha: float = 0.05,
        *,
        n: int = DRAWS,
        random_state: Any = 0,
        offset: Any = None,
        trials: Any = None,
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
        trials : int or (m,) array_like, optional
            Of a beta-binomial: out of how many trials the successes of each new row are counted; those of the rows of the
            fit are known.

        Returns
        -------
        DataFrame or ndarray with columns ``lower`` and ``upper``; of shares, (share, "lower") and (share, "upper") for
        each of them by itself
        """
        check_alpha(alpha)
        rows, shares = self.model.new_rows(exog, offset), self.family.class_names
        if shares is not None and not self.family.class_predictors:
            import pandas as pd

            columns = pd.MultiIndex.from_product([list(shares), ["lower", "upper"]])
            return rows.label(self._limits_of_shares(rows, alpha, n, random_state, len(shares)), columns)
        known_trials = self._trials("prediction intervals", rows, exog, trials)
        limits = self._limits(rows, alpha, n, np.random.default_rng(random_state), known_trials)
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
        trials: Any = None,
    ) -> Any:
        """Return a quantile of each row's law with limits for it, from draws of the coefficients; arguments as above."""
        check_alpha(alpha)
        rows, level = self.model.new_rows(exog, offset), [float(check_levels(q))]
        known_trials = self._trials("quantiles", rows, exog, trials)
        rng = np.random.default_rng(random_state)
        limits = self._over_draws(
            rows,
            n,
            rng,
            lambda law, theta: quantiles(law, level, theta)[:, 0],
            [alpha / 2.0, 1.0 - alpha / 2.0],
            "linear",
            known_trials,
        )
        own = rows.each(self._at(functools.partial(quantiles, self._law(known_trials), level)))
        return rows.label(np.column_stack([own, limits]), ["quantile", "lower", "upper"])

    def simulate(
        self, exog: Any = None, n: int = 1, random_state: Any = None, *, offset: Any = None, trials: Any = None
    ) -> Any:
        """Return draws from the fitted law of each row, (m, n): a column for each draw.

        Of a beta-binomial they are numbers of successes out of ``trials`` (see `prediction_interval`); of classes, the class
        of one case of each row.
        """
        check_draws(n)
        rows, rng = self.model.new_rows(exog, offset), np.random.default_rng(random_state)
        if self.family.class_predictors:
            return self._classes_drawn(rows, n, rng)
        law = self._law(self._trials("draws", rows, exog, trials))
        theta = self._parameters(rows)
        return rows.label(np.column_stack([law.sample(theta, rng) for _ in range(n)]), list(range(n)))

    def _classes_drawn(self, rows: Any, n: int, rng: np.random.Generator) -> Any:
        import pandas as pd

        theta = self._parameters(rows)
        codes = np.column_stack([self.family.sample(theta, rng).argmax(axis=1) for _ in range(n)]).astype(float)
        frame = rows.label(codes, list(range(n)))
        return frame.apply(
            lambda column: pd.Series(
                pd.Categorical.from_codes(
                    column.fillna(-1).astype(int), list(self.family.classes), ordered=self.family.ordinal
                ),
                index=frame.index,
            )
        )

    def _law(self, trials: Array | None) -> DistributionalFamily:
        """Return the law of one number for each row: the family, or that of successes out of the rows' trials."""
        return self.family if trials is None else self.family.of_trials(trials)

    def _trials(self, what: str, rows: Any, exog: Any, given: Any) -> Array | None:
        """Return the rows' numbers of trials, where the family's responses are counts out of some.

        Raises
        ------
        ValueError
            Where the response is not one number, and where trials are missing, or given for nothing.
        """
        if not self.family.has_trials:
            if given is not None:
                raise ValueError(f"the {self.family.name} family's responses are out of no trials; leave trials= out")
            self._require_numbers(what)
            return None
        if rows.streamed:
            raise ValueError(
                f"{what} out of trials are for rows in memory, and these are streamed; give a table in memory"
            )
        if exog is None:
            if given is not None:
                raise ValueError("the trials of the model's own rows are known; give trials= for new rows only")
            return np.asarray(rows.block.columns["y"].sum(axis=1))
        if given is None:
            raise ValueError(f"{what} of a {self.family.name} are out of trials: give trials=, one number or one a row")
        whole = np.asarray(given, dtype=float)
        n_given = rows.block.n_rows if rows.kept is None else len(rows.kept)
        if (
            whole.shape not in ((), (n_given,))
            or not (np.isfinite(whole) & (whole >= 1) & (whole == np.floor(whole))).all()
        ):
            raise ValueError(f"trials must be whole numbers of at least 1, one or one for each of the {n_given} rows")
        whole = np.broadcast_to(whole, (n_given,))
        return whole if rows.kept is None else whole[rows.kept]

    def _require_numbers(self, what: str) -> None:
        if self.family.class_predictors:
            raise ValueError(
                f"{what} need a response of one number, and the {self.family.name} family's is a class; get_prediction() "
                "has the classes' probabilities with limits"
            )
        if self.family.support.event_shape:
            raise ValueError(
                f"{what} need a response of one number, and the {self.family.name} family's has several columns"
            )
