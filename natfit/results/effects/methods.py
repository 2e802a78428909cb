"""Effects of a fit's variables, as methods of the result: predictions, comparisons, slopes and adjusted means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from natfit.results.effects import adjusted_means as means
from natfit.results.effects import tables as effects
from natfit.results.effects.variables import Variables


class Effects:
    """Mixed into a GLM's fit. Tables have estimate, std_error, statistic, p_value, conf_low and conf_high.

    Standard errors are by the delta method from the fit's own covariance, so that robust ones are used where the fit has
    them; the law is Student's t with ``use_t``, else the normal. Names follow marginaleffects and emmeans.
    """

    def datagrid(self, centre: str = "mean", **values: Any) -> Any:
        """Return a table of all combinations of the values given, other variables at typical ones.

        Parameters
        ----------
        centre : {"mean", "median"}
            What numbers that are not given are held at; factors are held at their most frequent level.
        **values
            One value or several for each variable named.

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> fit = nf.GLM.from_formula("sat ~ width + C(color)", crabs, family="poisson").fit()
        >>> fit.datagrid(width=[24, 26]).round(2)
           color  width
        0      2     24
        1      2     26
        """
        return Variables(self).grid(values, centre)

    def predictions(
        self,
        newdata: Any = None,
        *,
        by: Any = None,
        which: str = "mean",
        variables: Mapping[str, Any] | None = None,
        hypothesis: Any = None,
        alpha: float = 0.05,
        **known: Any,
    ) -> Any:
        """Return predictions of rows, or their averages.

        Parameters
        ----------
        newdata : DataFrame, "mean" or "median", optional
            The rows; the fit's own by default; or one row with every variable at a typical value.
        by : bool, str or sequence of str, optional
            Average over all rows (True), or within groups by these columns.
        which : {"mean", "linear"}
        variables : mapping, optional
            Values of variables at each of which every row is taken: counterfactual predictions (``by`` their names gives
            standardized ones).
        hypothesis : optional
            Tests of combinations: "pairwise", "reference", "sequential", "meandev", an equation such as ``"b2 - b1 = 0"``,
            or weights.
        alpha : float
            One less the level.
        **known
            ``offset`` and ``exposure`` of new rows.

        Returns
        -------
        DataFrame
            Intervals of means of single rows are made on the link's scale, as `get_prediction`'s are.

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> fit = nf.GLM.from_formula("sat ~ width + C(color)", crabs, family="poisson").fit()
        >>> fit.predictions(by="color")[["color", "estimate", "std_error"]].round(3)
           color  estimate  std_error
        0      1     4.083      0.583
        1      2     3.295      0.186
        2      3     2.227      0.225
        3      4     2.045      0.305
        """
        return effects.predictions(self, newdata, by, which, variables, hypothesis, alpha, known)

    def comparisons(
        self,
        variables: Any = None,
        newdata: Any = None,
        *,
        by: Any = None,
        comparison: str = "difference",
        which: str = "mean",
        hypothesis: Any = None,
        alpha: float = 0.05,
        **known: Any,
    ) -> Any:
        """Return how predictions change when a variable does, the others held.

        Parameters
        ----------
        variables : str, sequence or mapping, optional
            All by default. A mapping says how each is to change: for numbers a step centred on the row (1 by default), two
            values, "sd", "iqr" or "minmax"; for factors "reference" (each level against the first, the default),
            "sequential", "pairwise" or two levels.
        newdata, by, which, hypothesis, alpha, **known
            As for `predictions`.
        comparison : {"difference", "ratio", "lnratio", "lift", "lnoddsratio"}
            With ``by`` the averages are compared.

        Returns
        -------
        DataFrame
            With ``term`` and ``contrast``. The statistic of a ratio tests 1, of the others 0.

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> fit = nf.GLM.from_formula("sat ~ width + C(color)", crabs, family="poisson").fit()
        >>> fit.comparisons({"color": (1, 4)}, by=True)[["contrast", "estimate", "std_error"]].round(3)
          contrast  estimate  std_error
        0    4 - 1    -1.362      0.655
        """
        return effects.comparisons(self, variables, newdata, by, comparison, which, hypothesis, alpha, known)

    def slopes(
        self,
        variables: Any = None,
        newdata: Any = None,
        *,
        by: Any = None,
        slope: str = "dydx",
        which: str = "mean",
        hypothesis: Any = None,
        alpha: float = 0.05,
        **known: Any,
    ) -> Any:
        """Return derivatives of predictions in numbers, and differences between the levels of factors.

        Parameters
        ----------
        variables : str or sequence of str, optional
            All by default.
        newdata, by, which, hypothesis, alpha, **known
            As for `predictions`.
        slope : {"dydx", "eyex", "eydx", "dyex"}
            Derivatives or (semi-)elasticities, of numbers.

        Returns
        -------
        DataFrame

        Notes
        -----
        The formula's columns are differentiated numerically in the variable, the rest exactly.

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> fit = nf.GLM.from_formula("sat ~ width + C(color)", crabs, family="poisson").fit()
        >>> fit.slopes("width", by=True)[["term", "contrast", "estimate", "std_error"]].round(4)
            term contrast  estimate  std_error
        0  width    dY/dX    0.4359     0.0639
        """
        return effects.slopes(self, variables, newdata, by, slope, which, hypothesis, alpha, known)

    def avg_predictions(self, newdata: Any = None, *, by: Any = True, **options: Any) -> Any:
        """Return `predictions` averaged over the rows."""
        return self.predictions(newdata, by=by, **options)

    def avg_comparisons(self, variables: Any = None, newdata: Any = None, *, by: Any = True, **options: Any) -> Any:
        """Return `comparisons` averaged over the rows."""
        return self.comparisons(variables, newdata, by=by, **options)

    def avg_slopes(self, variables: Any = None, newdata: Any = None, *, by: Any = True, **options: Any) -> Any:
        """Return `slopes` averaged over the rows."""
        return self.slopes(variables, newdata, by=by, **options)

    def marginal_effects(self, variables: Any = None, at: Any = "overall", *, by: Any = True, **options: Any) -> Any:
        """Return marginal effects: average ones, or those at representative values; Stata's ``margins, dydx(*)``.

        Parameters
        ----------
        variables : str or sequence of str, optional
            All by default: slopes of numbers, differences of factors from their reference.
        at : {"overall", "mean", "median"} or DataFrame
            Averaged over the fit's rows; at one typical row; or at each row of a table (see `datagrid`).
        by, **options
            As for `slopes`; ``by`` is for "overall".

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> fit = nf.GLM.from_formula("sat ~ width", crabs, family="poisson").fit()
        >>> fit.marginal_effects(at="mean")[["term", "estimate"]].round(4)
            term  estimate
        0  width    0.4501
        """
        if isinstance(at, str) and at == "overall":
            return self.slopes(variables, by=by, **options)
        return self.slopes(variables, at, **options)

    def adjusted_means(
        self,
        variables: Any,
        at: Mapping[str, Any] | None = None,
        by: Any = None,
        *,
        which: str = "linear",
        weights: str = "equal",
        alpha: float = 0.05,
        **known: Any,
    ) -> means.AdjustedMeans:
        """Return adjusted means of the levels of factors: R's ``emmeans``, formerly least-squares means.

        Predictions on a grid of all factors' levels, numbers at their means, averaged over the factors not named.

        Parameters
        ----------
        variables : str or sequence of str
            Factors whose levels' means are wanted (or numbers, with their values in ``at``).
        at : mapping, optional
            Values of the grid: of numbers, or some of a factor's levels.
        by : str or sequence of str, optional
            Factors within whose levels contrasts are made.
        which : {"linear", "back", "mean"}
            On the link's scale, as emmeans gives them; those carried back through the inverse link (its
            ``type = "response"``); or averages of means (its ``regrid``).
        weights : {"equal", "proportional"}
            Of the levels averaged over: all alike, or as often as they occur.
        alpha : float
            One less the level.
        **known
            ``offset`` and ``exposure``; by default the average one, as in emmeans.

        Returns
        -------
        AdjustedMeans
            ``.frame`` and ``.contrasts(method, adjust)``.

        Notes
        -----
        Means that the data can't tell, where cells of the design are empty, are NaN.

        Examples
        --------
        >>> import natfit as nf
        >>> breaks = nf.datasets.load("warpbreaks")
        >>> fit = nf.GLM.from_formula("breaks ~ wool * tension", breaks, family="poisson").fit()
        >>> fit.adjusted_means("wool", by="tension").contrasts()[["contrast", "tension", "estimate"]].round(4)
          contrast tension  estimate
        0    A - B       L    0.4566
        1    A - B       M   -0.1815
        2    A - B       H    0.2683
        """
        return means.adjusted_means(self, variables, at, by, which, weights, alpha, known)
