"""Mixed into a fit: profile likelihoods, likelihood-ratio tests, and whether Wald's agree with them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.results.prediction import critical
from natfit.results.profile import ProfileLikelihood, ProfileLikelihoods, coefficient_number

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, np.dtype[Any]]

METHODS = ("wald", "profile")


class Profiled:
    """Mixed into a fit: profile likelihoods, and limits from them."""

    if TYPE_CHECKING:
        model: Any
        fitted: Any
        use_t: bool

        @property
        def df_resid(self) -> float: ...
        @property
        def _coefficients(self) -> list[Any]: ...

    def conf_int(self, alpha: float = 0.05, cols: Any = None, method: str = "wald") -> Any:
        """Return limits of the coefficients, (p, 2).

        Parameters
        ----------
        alpha : float
            One less the level.
        cols : sequence of int or str, optional
            Which coefficients.
        method : {"wald", "profile"}
            Estimate plus and minus a quantile of standard errors; or where the profile deviance reaches that quantile
            squared, by a few fits for each limit. Profile limits do not depend on how a coefficient is parametrized, and
            are infinite where the likelihood never falls so far (see `profile`). NaN where a coefficient is aliased.
        """
        if method not in METHODS:
            raise ValueError(f"method must be 'wald' or 'profile', got {method!r}")
        if method == "wald":
            return super().conf_int(alpha, cols)  # type: ignore[misc]
        chosen = slice(None) if cols is None else self._places(cols)  # type: ignore[attr-defined]
        limits = self._profile_limits(alpha, np.atleast_1d(np.arange(self.fitted.kept.size)[chosen]).tolist())
        if not self.model.data.labelled:
            return limits
        import pandas as pd

        return pd.DataFrame(limits, index=pd.Index(self._coefficients)[chosen])

    def profile(
        self,
        which: Any = None,
        *,
        name: str | None = None,
        alpha: float = 0.01,
        points: int = 8,
        progress: bool = False,
    ) -> Any:
        """Return the profile likelihood of a coefficient, or of several.

        Parameters
        ----------
        which : str, int, array_like, callable, or a list of these, optional
            A coefficient by name or number; (p,) numbers c for the combination c'params; a smooth function of the
            parameters, which it takes as `params` has them (with ``alpha`` last where that was estimated) and returns one
            number; "alpha", "1/alpha" or "log(alpha)" of a negative binomial whose alpha was estimated, jointly with the
            coefficients. By default every coefficient that is identified, and alpha.
        name : str, optional
            What to call a combination or a function.
        alpha : float
            The table reaches to the limits of level 1 - alpha.
        points : int
            Rows of the table on each side of the estimate.
        progress : bool
            Show a bar over the quantities.

        Returns
        -------
        ProfileLikelihood, or ProfileLikelihoods where several were asked for
            With ``table``, ``conf_int(alpha)`` and ``plot()``; computed when asked for.

        Raises
        ------
        ValueError
            For an aliased coefficient, alpha on its boundary, a fit that is not a maximum, robust standard errors, or
            ``bias_reduction="mean"``, which has no likelihood to profile.

        Notes
        -----
        A linear quantity is held by an affine parametrization, a smooth one by that of its level set (one parameter is
        solved for); the others are maximized over there by the fit's own optimizer, warm-started along the natural
        gradient. The dispersion is held at its estimate.

        Examples
        --------
        >>> import natfit as nf
        >>> beetles = nf.datasets.load("beetles")
        >>> fit = nf.GLM.from_formula("I(killed / n) ~ dose", beetles, family="binomial", trials="n").fit()
        >>> fit.profile("dose").conf_int().round(4)
        array([28.8539, 40.3005])
        >>> fit.profile(lambda b: -b["Intercept"] / b["dose"], name="LD50").conf_int().round(4)
        array([1.764 , 1.7792])
        """
        critical(alpha, None)  # refuses a level that is none
        if int(points) < 1:
            raise ValueError(f"a profile needs points of 1 or more, got {points}")

        def one(quantity: Any, called: str | None = None) -> ProfileLikelihood:
            profiler = self.model.profiler(self, quantity, called)
            return ProfileLikelihood(profiler, alpha, int(points), self.df_resid, self.use_t)

        if which is not None and not _several(which):
            return one(which, name)
        if name is not None:
            raise ValueError("name is for one combination or function; leave it out where several are profiled")
        wanted = self._profiled() if which is None else which
        return ProfileLikelihoods([one(quantity) for quantity in _watched(wanted, progress)])

    def _profiled(self) -> list[Any]:
        shape = getattr(self, "shape", None)
        chosen: list[Any] = np.flatnonzero(self.fitted.kept).tolist()
        return chosen if shape is None or shape.boundary else [*chosen, "alpha"]

    def _profile_limits(self, alpha: float, numbers: Sequence[int]) -> Array:
        """Return profile limits of coefficients by number, (k, 2); NaN where one is aliased."""
        limits = np.full((len(numbers), 2), np.nan)
        for row, j in enumerate(numbers):
            if self.fitted.kept[j]:
                profiler = self.model.profiler(self, int(j))
                limits[row] = ProfileLikelihood(profiler, alpha, 1, self.df_resid, self.use_t).conf_int(alpha)
        return limits


class Profiling(Profiled):
    """Mixed into a GLM's fit: likelihood-ratio tests of coefficients beside profiles, and whether Wald's agree with them."""

    def lr_test(self, columns: Any = None) -> pd.DataFrame:
        """Test coefficients by the likelihood ratio: by the penalised one for Firth's fits.

        Parameters
        ----------
        columns : str, int or list of these, optional
            Test these together for being 0, in one row; by default every coefficient on its own.

        Returns
        -------
        DataFrame
            ``chi2`` (twice the log-likelihood ratio, over the dispersion), ``df`` and ``pvalue``; with Student's t asked
            for, ``F`` and its law with the residual degrees of freedom.

        Raises
        ------
        ValueError
            As `profile`.

        Notes
        -----
        The model with coefficients at 0 is fitted, with the same dispersion, alpha estimated again where it was, and for
        Firth's fits with the penalty of all coefficients (Heinze & Schemper, 2002), as R's logistf has it.

        Examples
        --------
        >>> import natfit as nf
        >>> iris = nf.datasets.load("iris")
        >>> fit = nf.GLM.from_formula(
        ...     "I(Species == 'setosa') ~ Q('Sepal.Length') + Q('Sepal.Width')", iris, family="binomial"
        ... ).fit(bias_reduction="firth")
        >>> fit.lr_test("Q('Sepal.Width')").round(3)
                            chi2  df  pvalue
        Q('Sepal.Width')  61.101   1     0.0
        """
        import pandas as pd
        from scipy import special

        if columns is None:
            groups = {self._coefficients[j]: [j] for j in np.flatnonzero(self.fitted.kept).tolist()}
        else:
            listed = list(columns) if _several(columns) else [columns]
            numbers = [self._testable(column) for column in listed]
            groups = {", ".join(str(self._coefficients[j]) for j in numbers): numbers}
        rows = []
        for numbers in groups.values():
            value, k = self.model.lr_statistic(self, np.array(numbers)), len(numbers)
            if self.use_t:
                rows.append((value / k, k, special.fdtrc(k, self.df_resid, value / k)))
            else:
                rows.append((value, k, special.chdtrc(k, max(value, 0.0))))
        return pd.DataFrame(rows, index=list(groups), columns=["F" if self.use_t else "chi2", "df", "pvalue"])

    def wald_check(self, alpha: float = 0.05) -> pd.DataFrame:
        """Say for each coefficient how far the likelihood departs from what Wald's interval and test take it for.

        One pass over the data at the estimates, no fit; the summary looks too, and says what it finds.

        Parameters
        ----------
        alpha : float
            One less the level of the interval.

        Returns
        -------
        DataFrame
            ``lower_tail`` and ``upper_tail``: what the likelihood ratio leaves beyond the Wald limits, along the natural
            gradient's straight line through the estimates (the profile's tangent); alpha / 2 where they agree, NaN for
            bias-reduced fits. ``disagrees``: whether either is off by a factor of 2. ``wald_slope``: the derivative of
            the Wald statistic in the coefficient, times its standard error. ``hauck_donner``: whether that is negative, so
            that the statistic falls as the estimate moves away from 0.

        Notes
        -----
        Hauck & Donner (1977), JASA 72; Yee (2022), On the Hauck-Donner effect in Wald tests, JASA 117: the derivative is
        1 - beta_j v_j' / (2 v_j), with v_j the variance and v_j' its derivative in beta_j.

        Examples
        --------
        >>> import natfit as nf
        >>> few = nf.GLM([1, 0, 0, 0, 0, 0, 0, 0], [[1.0]] * 8, family="binomial").fit()
        >>> few.wald_check()[["lower_tail", "upper_tail", "disagrees"]].round(4)
               lower_tail  upper_tail  disagrees
        const      0.0633      0.0071       True
        """
        from natfit.results.wald_check import wald_check

        if not 0.0 < alpha < 1.0:
            raise ValueError(f"alpha must lie between 0 and 1 (0.05 for 95% limits), got {alpha}")
        fit: Any = self
        if self.fitted.separation is not None or not np.isfinite(fit.scale):
            raise ValueError("a check of Wald's statistics needs them, and this fit has no finite standard errors")
        return wald_check(fit, alpha)

    @cached_property
    def _wald_notes(self) -> list[str]:
        """What the summary says of it: one pass, taken once."""
        from natfit.results.wald_check import wald_notes

        fit: Any = self
        return wald_notes(getattr(fit, "results_constrained", fit))

    def _testable(self, column: Any) -> int:
        place = coefficient_number(self, column)
        if not self.fitted.kept[place]:
            name = self._coefficients[place]
            raise ValueError(f"a test needs identified coefficients, but {name} is aliased; test the others")
        return place


def _several(which: Any) -> bool:
    """Say whether a list of quantities was given, and not one quantity: numbers are one combination."""
    if isinstance(which, str) or callable(which) or np.ndim(which) == 0:
        return False
    return isinstance(which, list | tuple) and any(isinstance(each, str) or callable(each) for each in which)


def _watched(wanted: Sequence[Any], progress: bool) -> Any:
    if not progress:
        return wanted
    from tqdm.auto import tqdm

    return tqdm(wanted, desc="profile")
