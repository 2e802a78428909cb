"""Profile likelihoods of a fit: tables along them, limits solved for, and figures; and tests by the likelihood ratio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from natfit.results.prediction import critical

if TYPE_CHECKING:
    import pandas as pd


Array = np.ndarray[Any, np.dtype[Any]]


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

        rows = self._profiler.table(critical(self.alpha, self._df(None)), self._points)
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
        df = self._df(use_t)
        if (alpha, df) not in self._known:
            target = critical(alpha, df)
            self._known[alpha, df] = (self._profiler.limit(-target), self._profiler.limit(target))
        return self._known[alpha, df]

    def _df(self, use_t: bool | None) -> float | None:
        return self._df_resid if (self.use_t if use_t is None else use_t) else None

    def wald(self, alpha: float = 0.05, use_t: bool | None = None) -> Array:
        """Return the Wald limits, (2,), for comparison."""
        return self.estimate + np.array([-1.0, 1.0]) * critical(alpha, self._df(use_t)) * self.se

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
        from natfit.diagnostics.plots.profile import draw_profile

        return draw_profile(self, alpha, ax)

    def plot_others(self, axes: Any = None) -> Any:
        """Draw how the other parameters move along the profile; return the array of axes."""
        from natfit.diagnostics.plots.profile import draw_traces

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
        from natfit.diagnostics.plots.profile import draw_profiles

        return draw_profiles(self, alpha)

    def __repr__(self) -> str:
        return f"<ProfileLikelihoods of {', '.join(map(str, self._each))}>"


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
