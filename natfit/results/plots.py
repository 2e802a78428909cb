"""Figures of a fit, as methods of the result; each returns matplotlib axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class FittedPlot:
    """Mixed into a fit with a mean for each row."""

    def plot_fitted(self, ax: Any = None) -> Any:
        """Draw the observed responses against the fitted means, with the line on which they would be equal.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        from natfit.diagnostics.plots.residuals import plot_fitted

        return plot_fitted(self, ax)


class EstimatePlots:
    """Mixed into a fit whose estimates are of several kinds: a panel for each kind."""

    def plot_coefficients(self, alpha: float = 0.05) -> Any:
        """Draw the estimates with their intervals of level 1 - alpha, a panel for each quantity that can be compared.

        Components stand together quantity by quantity, coefficients by the parameter that they move.

        Parameters
        ----------
        alpha : float

        Returns
        -------
        array of matplotlib Axes
        """
        from natfit.diagnostics.plots.estimates import plot_estimates

        return plot_estimates(self, alpha)


class QuantilePlots:
    """Mixed into a fit without a linear predictor that has quantile residuals."""

    def plot_residuals(self, kind: str = "all", random_state: Any = 0, ax: Any = None) -> Any:
        """Draw quantile residuals against normal quantiles, or as a worm; of regressions also against the fitted mean.

        Parameters
        ----------
        kind : {"all", "qq", "worm"}, of regressions also {"fitted", "scale"}
        random_state : int or numpy Generator
            Of the residuals of discrete responses.
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes, or an array of them
        """
        from natfit.diagnostics.plots.residuals import plot_residuals

        return plot_residuals(self, kind, "quantile", random_state, ax)


class ParameterEffectPlot:
    """Mixed into a fit with a predictor for every parameter."""

    def plot_effect(
        self,
        variable: str,
        what: str = "mean",
        *,
        at: Mapping[str, Any] | None = None,
        alpha: float = 0.05,
        ax: Any = None,
    ) -> Any:
        """Draw the mean, or a parameter, along one variable with its band; for the mean over the rows.

        Of classes and shares the mean is that of each: a line for every class's probability.

        Parameters
        ----------
        variable : str
        what : str
            ``"mean"``, ``"variance"`` or the name of a parameter.
        at : mapping, optional
            Where the other variables are held; numbers at their means and factors at their most frequent level otherwise.
        alpha : float
            One less the band's level.
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ValueError
            If no formula names the variable, or the fit does not hold the formula's table.
        """
        from natfit.diagnostics.plots.parameter_effects import plot_parameter_effect

        return plot_parameter_effect(self, variable, what, at, alpha, ax)

    def plot_quantiles(
        self,
        variable: str,
        q: Any = (0.05, 0.25, 0.5, 0.75, 0.95),
        *,
        at: Mapping[str, Any] | None = None,
        ax: Any = None,
    ) -> Any:
        """Draw quantiles of the response along one variable, over the rows: centile curves.

        Parameters
        ----------
        variable : str
        q : float or sequence of float
            Levels between 0 and 1.
        at : mapping, optional
            As for `plot_effect`.
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ValueError
            As for `plot_effect`, and where the response is not one number.
        """
        from natfit.diagnostics.plots.parameter_effects import plot_parameter_quantiles

        return plot_parameter_quantiles(self, variable, q, at, ax)


class Plots(FittedPlot):
    """Mixed into a GLM's fit. The drawing is in `natfit.diagnostics`, which is loaded when a figure is asked for."""

    def plot_residuals(
        self, kind: str = "all", residuals: str = "quantile", random_state: Any = 0, ax: Any = None
    ) -> Any:
        """Draw residuals.

        Parameters
        ----------
        kind : {"all", "fitted", "qq", "worm", "scale"}
            Against the linear predictor; against normal quantiles; the same with the diagonal taken away; the root of their
            size against the linear predictor; or the four together.
        residuals : {"quantile", "pearson", "deviance", "response"}
            Randomized quantile residuals, which are normal for every family; studentized ones; or y less its mean.
        random_state : int or numpy Generator
            Of the quantile residuals.
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes, or an array of them

        Notes
        -----
        The worm plot is van Buuren & Fredriks (2001), Statistics in Medicine 20, 1259-1277.
        """
        from natfit.diagnostics.plots.residuals import plot_residuals

        return plot_residuals(self, kind, residuals, random_state, ax)

    def plot_coefficients(self, alpha: float = 0.05, intercept: bool = False, ax: Any = None) -> Any:
        """Draw the estimates with their intervals of level 1 - alpha.

        Parameters
        ----------
        alpha : float
        intercept : bool
            Whether to draw the constant too.
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        from natfit.diagnostics.plots.effects import plot_coefficients

        return plot_coefficients(self, alpha, intercept, ax)

    def plot_effect(
        self,
        variable: str,
        *,
        which: str = "mean",
        partial: bool = True,
        at: Mapping[str, Any] | None = None,
        alpha: float = 0.05,
        ax: Any = None,
    ) -> Any:
        """Draw the prediction along one variable with its band, over the data as the other variables leave them.

        Parameters
        ----------
        variable : str
        which : {"mean", "linear"}
        partial : bool
            Draw the partial data: each row's prediction at the values held, plus its residual.
        at : mapping, optional
            Where the other variables are held; numbers at their means and factors at their most frequent level otherwise.
        alpha : float
            One less the band's level.
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        from natfit.diagnostics.plots.effects import plot_effect

        return plot_effect(self, variable, which, partial, at, alpha, ax)

    def plot_calibration(self, groups: int = 10, alpha: float = 0.05, ax: Any = None) -> Any:
        """Draw a binomial's observed shares against the predicted ones, in groups, with Wilson's limits.

        Parameters
        ----------
        groups : int
        alpha : float
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        from natfit.diagnostics.plots.effects import plot_calibration

        return plot_calibration(self, groups, alpha, ax)
