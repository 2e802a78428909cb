"""What a GLM's fit says of single observations, seen and new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.results.predictive import (
    Law,
    ParameterDraws,
    draw_observations,
    law_of,
    parameter_draws,
    prediction_limits,
    quantile_residuals,
    require_law,
)

Array = np.ndarray[Any, np.dtype[Any]]


class Observations:
    """Mixed into a GLM's fit: quantiles and draws of new observations, and quantile residuals."""

    if TYPE_CHECKING:
        model: Any
        family: Any
        scale: float

        @property
        def _params_filled(self) -> Array: ...
        def _rows(self, values: Array) -> Any: ...
        def _new_rows(self, exog: Any, transform: bool, **known: Any) -> Any: ...

    def _new_observations(self, exog: Any, transform: bool, known: dict[str, Any]) -> tuple[Any, Law]:
        """Return new rows, and the law of their observations."""
        trials, weights = known.pop("trials", None), known.pop("var_weights", None)
        rows = self._new_rows(exog, transform, **known)
        return rows, law_of(self, rows, exog, trials, weights)

    def quantile(self, exog: Any = None, q: Any = 0.5, transform: bool = True, **known: Any) -> Any:
        """Return quantiles of the fitted law of each row's observation: the least y with P(Y <= y) >= q.

        They take the estimates as if they were known; `prediction_interval` does not.

        Parameters
        ----------
        exog : DataFrame or array_like, optional
            New rows, as for `predict`; the data of the fit by default.
        q : float or sequence of float
            Levels between 0 and 1.
        transform : bool
            Whether a table goes through the formula.
        **known
            ``offset``, ``exposure``, ``trials``, ``var_weights`` of the rows: a number, an array, or a column's name.

        Returns
        -------
        DataFrame or ndarray, (m, levels); Series or (m,) for one level
            A binomial's are proportions of the trials.

        Raises
        ------
        ValueError
            For a level outside (0, 1), or a quasi-likelihood, which has no law.

        Examples
        --------
        >>> import natfit as nf
        >>> fit = nf.GLM([1, 2, 2, 5, 9], np.ones((5, 1)), family="poisson").fit()
        >>> fit.quantile([[1.0]], [0.05, 0.5, 0.95])
        array([[1., 4., 7.]])
        """
        levels = np.atleast_1d(np.asarray(q, dtype=float))
        if levels.ndim != 1 or not ((levels > 0.0) & (levels < 1.0)).all():
            raise ValueError(f"levels of quantiles lie strictly between 0 and 1; got {q!r}")
        require_law(self, "quantiles")
        rows, law = self._new_observations(exog, transform, known)
        eta = rows.matvec(self._params_filled)[:, None]
        shape = np.broadcast_shapes(eta.shape, levels.shape)
        found = law.tall().quantiles(np.broadcast_to(levels, shape), np.broadcast_to(eta, shape), self.scale)
        if np.ndim(q) == 0:
            return rows.label(found[:, 0])
        if rows.index is None:
            return found
        import pandas as pd

        return pd.DataFrame(found, index=rows.index, columns=levels)

    def simulate(
        self,
        exog: Any = None,
        n: int = 1,
        random_state: Any = None,
        *,
        parameters: str = "estimate",
        transform: bool = True,
        **known: Any,
    ) -> Any:
        """Return draws of new observations, (m, n).

        Parameters
        ----------
        exog : DataFrame or array_like, optional
            New rows, as for `predict`; the data of the fit by default.
        n : int
            Draws of each row.
        random_state : int or numpy Generator, optional
        parameters : {"estimate", "simulation", "bootstrap"}
            Draw from the fitted law; or, for each draw, first draw the parameters (all rows of one draw share them), from
            their law in large samples or by refits to simulated responses.
        transform : bool
            Whether a table goes through the formula.
        **known
            ``offset``, ``exposure``, ``trials``, ``var_weights`` of the rows.

        Returns
        -------
        DataFrame or ndarray
            One column for each draw. A binomial's are proportions of the trials.

        Examples
        --------
        >>> import natfit as nf
        >>> fit = nf.GLM([1, 2, 2, 5, 9], np.ones((5, 1)), family="poisson").fit()
        >>> fit.simulate(n=3, random_state=1).shape
        (5, 3)
        """
        require_law(self, "simulated observations")
        rng = np.random.default_rng(random_state)
        rows, law = self._new_observations(exog, transform, known)
        if parameters == "estimate":
            if int(n) != n or n < 1:
                raise ValueError(f"the number of draws must be a whole number of at least 1, got {n!r}")
            draws = ParameterDraws(np.tile(self._params_filled, (int(n), 1)), np.full(int(n), self.scale))
        else:
            draws = parameter_draws(self, parameters, n, rng)
        count = rows.design.shape[0] if rows.kept is None else len(rows.kept)
        drawn = np.full((count, len(draws.params)), np.nan)
        for own, part in draw_observations(self, rows, law, draws, rng):
            drawn[own] = part
        if rows.index is None:
            return drawn
        import pandas as pd

        return pd.DataFrame(drawn, index=rows.index)

    def prediction_interval(
        self,
        exog: Any = None,
        alpha: float = 0.05,
        method: str = "simulation",
        n: int = 2000,
        random_state: Any = None,
        *,
        transform: bool = True,
        progress: bool = False,
        **known: Any,
    ) -> Any:
        """Return limits that hold one new observation of each row with probability 1 - alpha, the parameters estimated.

        Parameters
        ----------
        exog : DataFrame or array_like, optional
            New rows, as for `predict`; the data of the fit by default.
        alpha : float
            One less the level.
        method : {"simulation", "bootstrap"}
            Parameters drawn from their law in large samples (with the fit's own covariance), or refits to responses
            drawn from the fit. Each draw of the parameters then draws an observation.
        n : int
            Draws.
        random_state : int or numpy Generator, optional
        transform : bool
            Whether a table goes through the formula.
        progress : bool
            Show a bar of the refits.
        **known
            ``offset``, ``exposure``, ``trials``, ``var_weights`` of the rows.

        Returns
        -------
        DataFrame or ndarray, (m, 2)
            Columns ``obs_ci_lower`` and ``obs_ci_upper``. Counts' limits are whole numbers, and conservative: no more than
            alpha / 2 of the draws lie beyond either. A binomial's are proportions of the trials.

        Raises
        ------
        ValueError
            For a quasi-likelihood, which has no law; for separated coefficients; if draws lead outside the family's means.

        Notes
        -----
        Davison & Hinkley (1997), Bootstrap Methods and their Application, section 7.2.4. For a linear Gaussian the simulated
        limits are those of Student's t, to the error of n draws.

        Examples
        --------
        >>> import natfit as nf
        >>> fit = nf.GLM([1, 2, 2, 5, 9], np.ones((5, 1)), family="poisson").fit()
        >>> fit.prediction_interval([[1.0]], random_state=1)
        array([[0., 9.]])
        """
        require_law(self, "prediction intervals")
        rng = np.random.default_rng(random_state)
        rows, law = self._new_observations(exog, transform, known)
        limits = prediction_limits(self, rows, law, alpha, parameter_draws(self, method, n, rng, progress), rng)
        if rows.index is None:
            return limits
        import pandas as pd

        return pd.DataFrame(limits, index=rows.index, columns=["obs_ci_lower", "obs_ci_upper"])

    def quantile_residuals(self, random_state: Any = None) -> Any:
        """Return randomized quantile residuals: standard normal where the model holds, whatever the family.

        The normal quantile of P(Y <= y); where y has mass of its own, of a uniform draw between P(Y < y) and P(Y <= y). A
        continuous family's are not random.

        Parameters
        ----------
        random_state : int or numpy Generator, optional

        Returns
        -------
        Series or ndarray, (n,)

        Notes
        -----
        Dunn & Smyth (1996), Journal of Computational and Graphical Statistics 5, 236-244; statmod's ``qresiduals``.

        Examples
        --------
        >>> import natfit as nf
        >>> fit = nf.GLM([1.0, 2.0, 6.0], np.ones((3, 1))).fit()
        >>> fit.quantile_residuals().round(3)
        array([-0.756, -0.378,  1.134])
        """
        return self._rows(quantile_residuals(self, random_state))

    @property
    def resid_quantile(self) -> Any:
        """`quantile_residuals` by the seed 0, so that asking again gives the same."""
        return self.quantile_residuals(0)
