"""A predicted parameter, mean or variance of each row, with its uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from natfit.results.prediction import critical

Array = np.ndarray[Any, np.dtype[Any]]


class ParameterPrediction:
    """A predicted quantity of each row, with its standard error by the delta method and limits on a scale of its own.

    Attributes
    ----------
    predicted, se : (m,) ndarray
    what : str
        The quantity: ``"mean"``, or a parameter's name.
    """

    def __init__(
        self,
        what: str,
        values: Array,
        variance: Array,
        scale: str,
        label: Callable[..., Any],
        observed: Callable[[float], Array] | None,
        in_memory: bool = True,
    ):
        self.what, self.predicted, self.se = what, values, np.sqrt(variance)
        self._scale, self._label, self._observed, self._in_memory = scale, label, observed, in_memory

    @property
    def predicted_mean(self) -> Array:
        """The predictions, under statsmodels' name."""
        return self.predicted

    @property
    def se_mean(self) -> Array:
        """The standard errors, under statsmodels' name."""
        return self.se

    def conf_int(self, alpha: float = 0.05) -> Array:
        """Return (m, 2) limits for the quantity: on the log scale where it is positive, the logit scale in (0, 1)."""
        width = critical(alpha, None)
        both = np.array([-width, width])
        value, se = self.predicted[:, None], self.se[:, None]
        with np.errstate(all="ignore"):
            if self._scale == "log":
                return value * np.exp(both * se / value)
            if self._scale == "logit":
                return special.expit(special.logit(value) + both * se / (value * (1.0 - value)))
        return value + both * se

    def summary_frame(self, alpha: float = 0.05, obs: bool | None = None) -> Any:
        """Return a DataFrame: ``mean``, its standard error and limits; for the mean also ``obs_ci_lower``, ``obs_ci_upper``.

        The last two are limits for one new observation that know that the parameters are estimates; see
        `DistributionalResults.prediction_interval`.

        Parameters
        ----------
        alpha : float
            One less the level.
        obs : bool, optional
            Whether to add the last two where there are any; by default for rows in memory, as 4000 draws of each of the rows
            of a stream may take a while.

        Raises
        ------
        ValueError
            If they are asked for and there are none.
        """
        limits = self.conf_int(alpha)
        columns = {
            self.what: self.predicted,
            f"{self.what}_se": self.se,
            f"{self.what}_ci_lower": limits[:, 0],
            f"{self.what}_ci_upper": limits[:, 1],
        }
        if obs and self._observed is None:
            raise ValueError(
                "limits for a new observation stand beside the mean of a converged fit whose response is one number; leave "
                "obs= out"
            )
        if self._observed is not None and (self._in_memory if obs is None else obs):
            observed = self._observed(alpha)
            columns |= {"obs_ci_lower": observed[:, 0], "obs_ci_upper": observed[:, 1]}
        import pandas as pd

        made = self._label(np.column_stack(list(columns.values())), list(columns))
        return made if isinstance(made, pd.DataFrame) else pd.DataFrame(made, columns=list(columns))


class ColumnPredictions:
    """A quantity of each of a response's columns, of classes or shares, with its uncertainty.

    Attributes
    ----------
    what : str
        The quantity: ``"mean"`` or ``"variance"``.
    parts : list of ParameterPrediction
        By column.
    """

    def __init__(self, what: str, parts: list[ParameterPrediction]):
        self.what, self.parts = what, parts

    @property
    def predicted(self) -> Array:
        """The predictions, (m, columns)."""
        return np.column_stack([part.predicted for part in self.parts])

    @property
    def se(self) -> Array:
        """Their standard errors, (m, columns)."""
        return np.column_stack([part.se for part in self.parts])

    predicted_mean = predicted
    se_mean = se

    def conf_int(self, alpha: float = 0.05) -> Array:
        """Return limits for each, (m, columns, 2), on the logit scale for probabilities and shares."""
        return np.stack([part.conf_int(alpha) for part in self.parts], axis=1)

    def summary_frame(self, alpha: float = 0.05) -> Any:
        """Return a DataFrame with the prediction, its standard error and limits for each column of the response."""
        import pandas as pd

        return pd.concat([part.summary_frame(alpha) for part in self.parts], axis=1)
