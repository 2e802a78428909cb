"""Profile likelihoods of a fit: tables along them, limits solved for, and figures; and tests by the likelihood ratio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from natfit.results.prediction import quantile

if TYPE_CHECKING:
    import pandas as pd


Array = np.ndarray[Any, np.dtype[Any]]

METHODS = ("wald", "profile")


class Profiles(Protocol):
    """What a model hands over to profile one quantity: see `natfit.models.profiling.Profiler`."""

    name: Any
    estimate: float
    se: float

    @property
    def others(self) -> list[Any]: ...
    def limit(self, target: float) -> Any: ...
    def table(self, most: float, count: int) -> list[tuple[float, float, Array]]: ...


class ProfileLikelihood:
    """The profile likelihood of one quantity of a fit: a coefficient, a combination, a shape or a function of parameters.

    Made by ``fit.profile("x")``. At each value all other parameters are at their best, and the signed root deviance is
    sign(value - estimate) sqrt(2 (llf - profile log-likelihood)), the dispersion held at its estimate. Where it is a
    straight line the Wald interval holds; its bend is what the Wald interval misses.

    Attributes
    ----------
    name : str
    estimate : float
    se : float
        Wald's standard error (by the delta method for a function).
    table : DataFrame
        ``value``, ``signed_root``, and the other parameters along the profile, one row for each value.

    Notes
    -----
    Bates & Watts (1988), Nonlinear Regression Analysis and Its Applications, section 6.1; Venables & Ripley (2002), MASS,
    section 8.4. For Firth's fits the penalised log-likelihood is profiled, the penalty that of all coefficients (Heinze &
    Schemper, 2002, Statistics in Medicine 21).
    """

    def __init__(self, profiler: Profiles, alpha: float, points: int, df_resid: float, use_t: bool):
        self._profiler, self._df_resid, self.use_t = profiler, df_resid, use_t
        self.name, self.estimate, self.se = profiler.name, profiler.estimate, profiler.se
        self.alpha, self._points = alpha, points
        self._known: dict[tuple[float, float | None], tuple[Any, Any]] = {}

    @cached_property
    def table(self) -> pd.DataFrame:
        """Value, signed root deviance and the other parameters along the profile."""
        import pandas as pd

        rows = self._profiler.table(quantile(1.0 - self.alpha / 2.0, self._df(None)), self._points)
        fixed = pd.DataFrame({"value": [row[0] for row in rows], "signed_root": [row[1] for row in rows]})
        return pd.concat([fixed, pd.DataFrame([row[2] for row in rows], columns=self._profiler.others)], axis=1)

    def conf_int(self, alpha: float = 0.05, use_t: bool | None = None) -> Array:
        """Return the limits, (2,): where the deviance rises by the chi-squared quantile, solved to rounding.

        Parameters
        ----------
        alpha : float
            One less the level.
        use_t : bool, optional
            Student's t quantile, squared, instead of chi-squared's; by default as the fit has it. R's ``confint`` takes
            the normal one also where a dispersion is estimated.

        Returns
        -------
        (2,) ndarray
            Infinite where the likelihood never falls that far; `notes` says why.
        """
        return np.array([end.value for end in self._limits(alpha, use_t)])

    def _limits(self, alpha: float, use_t: bool | None = None) -> tuple[Any, Any]:
        if not 0.0 < alpha < 1.0:
            raise ValueError(f"alpha must lie between 0 and 1 (0.05 for 95% limits), got {alpha}")
        df = self._df(use_t)
        if (alpha, df) not in self._known:
            target = quantile(1.0 - alpha / 2.0, df)
            self._known[alpha, df] = (self._profiler.limit(-target), self._profiler.limit(target))
        return self._known[alpha, df]

    def _df(self, use_t: bool | None) -> float | None:
        return self._df_resid if (self.use_t if use_t is None else use_t) else None

    def wald(self, alpha: float = 0.05, use_t: bool | None = None) -> Array:
        """Return the Wald limits, (2,), for comparison."""
        return self.estimate + np.array([-1.0, 1.0]) * quantile(1.0 - alpha / 2.0, self._df(use_t)) * self.se

    @property
    def notes(self) -> list[str]:
        """What is to be said of the limits that were asked for: which is infinite or on a boundary, and why."""
        said = {
            f"{side} limit of {self.name}: {end.note}": None
            for ends in self._known.values()
            for side, end in zip(("lower", "upper"), ends, strict=True)
            if end.note
        }
        return list(said)

    def plot(self, alpha: float = 0.05, ax: Any = None) -> Any:
        """Draw the signed root against the value, Wald's straight line, and the limits of both; return the axes."""
        from natfit.diagnostics.profile_plot import draw_profile

        return draw_profile(self, alpha, ax)

    def plot_others(self, axes: Any = None) -> Any:
        """Draw how the other parameters move along the profile; return the array of axes."""
        from natfit.diagnostics.profile_plot import draw_traces

        return draw_traces(self, axes)

    def __repr__(self) -> str:
        return f"<ProfileLikelihood of {self.name}: estimate {self.estimate:.6g}, se {self.se:.4g}>"


class ProfileLikelihoods(Mapping[Any, ProfileLikelihood]):
    """Profile likelihoods of several quantities, by name: made by ``fit.profile()`` or ``fit.profile(["x", "z"])``."""

    def __init__(self, each: Sequence[ProfileLikelihood]):
        self._each = {one.name: one for one in each}

    def __getitem__(self, name: Any) -> ProfileLikelihood:
        return self._each[name]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._each)

    def __len__(self) -> int:
        return len(self._each)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The tables of all, one below the other; the first level of the index is the quantity profiled."""
        import pandas as pd

        return pd.concat({name: one.table for name, one in self._each.items()}, names=["profiled", None])

    def conf_int(self, alpha: float = 0.05, use_t: bool | None = None) -> pd.DataFrame:
        """Return the limits of each, a row for each quantity; see `ProfileLikelihood.conf_int`."""
        import pandas as pd

        limits = {name: one.conf_int(alpha, use_t) for name, one in self._each.items()}
        return pd.DataFrame(list(limits.values()), index=pd.Index(list(limits)))

    @property
    def notes(self) -> list[str]:
        """What is to be said of the limits that were asked for."""
        return [note for one in self._each.values() for note in one.notes]

    def plot(self, alpha: float = 0.05) -> Any:
        """Draw all of them, two panels to a row; return the array of axes."""
        from natfit.diagnostics.profile_plot import draw_profiles

        return draw_profiles(self, alpha)

    def __repr__(self) -> str:
        return f"<ProfileLikelihoods of {', '.join(map(str, self._each))}>"


class Profiling:
    """Mixed into a fit: profile likelihoods, their limits, and likelihood-ratio tests of coefficients."""

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
        cols : sequence of int, optional
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
        chosen = slice(None) if cols is None else np.asarray(cols)
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
        if not 0.0 < alpha < 1.0 or int(points) < 1:
            raise ValueError(f"profile needs 0 < alpha < 1 and points of 1 or more, got {alpha} and {points}")

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

    def _testable(self, column: Any) -> int:
        place = coefficient_number(self, column)
        if not self.fitted.kept[place]:
            name = self._coefficients[place]
            raise ValueError(f"a test needs identified coefficients, but {name} is aliased; test the others")
        return place


def coefficient_number(fit: Any, which: Any) -> int:
    """Return the number of a coefficient given by its label, its name or its number.

    Raises
    ------
    ValueError
        If there is none; the message lists those that there are.
    """
    labels, names = list(fit._coefficients), fit.model.exog_names
    if which in labels or which in names:
        return labels.index(which) if which in labels else names.index(which)
    if not isinstance(which, str) and which == int(which) and -len(names) <= which < len(names):
        return int(which) % len(names)
    raise ValueError(f"there is no coefficient {which!r}; there are {', '.join(map(str, labels))}")


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
