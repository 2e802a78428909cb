"""What a profile holds: a linear or a smooth function of the parameters, each by a parametrization of its surface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from natfit.parametrizations import Affine
from natfit.parametrizations.level_set import LevelSet
from natfit.results.profile import coefficient_number

Array = np.ndarray[Any, np.dtype[Any]]

DIFFERENCE = 1e-3
"""Steps of a numerical gradient in standard errors: a fourth-order difference then errs by some 1e-12 of the function's
change over one of them, and by as much from rounding."""
LEAST = 1e-7
"""The least such step: rounding then leaves the gradient some nine digits, and deviances are right to twice as many."""


class Linear:
    """A linear function c'theta, held by leaving one of its parameters to it: an affine parametrization.

    Parameters
    ----------
    coefficients : (p,) ndarray
    units : (p,) ndarray
        Sizes that parameters are compared in; that with the largest share is left to the constraint.
    """

    def __init__(self, coefficients: Array, units: Array):
        self._c = coefficients
        pivot = int(np.argmax(np.abs(coefficients) * units))
        others = np.arange(coefficients.size) != pivot
        self._basis = np.eye(coefficients.size)[:, others]
        self._basis[pivot] = -coefficients[others] / coefficients[pivot]
        self._pivot, self._others = pivot, others

    def value(self, params: Array) -> float:
        return float(self._c @ params)

    def gradient(self, params: Array) -> Array:
        return self._c

    def hold(self, value: float, near: Array) -> tuple[Affine, Array]:
        offset = np.zeros(self._c.size)
        offset[self._pivot] = value / self._c[self._pivot]
        return Affine(self._basis, offset), near[self._others]


class Smooth:
    """A smooth function of the parameters, held on its level set; its gradient is taken by differences.

    Parameters
    ----------
    function : callable
        theta, (p,), to a number.
    units : (p,) ndarray
        Standard errors of the parameters.
    """

    def __init__(self, function: Callable[[Array], float], units: Array):
        self._function, self._units = function, units

    def value(self, params: Array) -> float:
        return self._function(params)

    def gradient(self, params: Array) -> Array:
        made = np.empty(params.size)
        for j, unit in enumerate(self._units):
            step = np.zeros(params.size)
            # no farther than a share of the parameter itself, which a ratio may divide by
            step[j] = unit * min(DIFFERENCE, max(DIFFERENCE * abs(params[j]) / unit, LEAST))
            near = self._function(params + step) - self._function(params - step)
            far = self._function(params + 2.0 * step) - self._function(params - 2.0 * step)
            made[j] = (8.0 * near - far) / (12.0 * step[j])
        return made

    def hold(self, value: float, near: Array) -> tuple[LevelSet, Array]:
        pivot = int(np.argmax(np.abs(self.gradient(near)) * self._units))
        names = [f"theta{j}" for j in range(near.size)]
        held = LevelSet(names, self._function, self.gradient, value, pivot, near)
        return held, np.delete(near, pivot)


def of_coordinates(
    which: Callable[[Any], Any], home: Callable[[Array], Array], names: list[Any] | None, optimum: Array
) -> Callable[[Array], float]:
    """Return a user's function of the parameters as one of the coordinates that move.

    Parameters
    ----------
    which : callable
        Of parameters as a fit shows them.
    home : callable
        From coordinates to these.
    names : list, optional
        Labels, where they are shown as a Series.
    optimum : (q,) ndarray
        Coordinates at which the function is tried.

    Raises
    ------
    ValueError
        If it fails there, or is not finite.
    """

    def function(working: Array) -> float:
        shown: Any = home(working)
        if names is not None:
            import pandas as pd

            shown = pd.Series(shown, index=names)
        return float(which(shown))

    try:
        value = function(optimum)
    except (TypeError, KeyError, IndexError) as trouble:
        raise ValueError(
            "a function to profile takes the parameters as fit.params has them and returns one number; this one "
            f"fails: {trouble!r}"
        ) from trouble
    if not np.isfinite(value):
        raise ValueError(f"a function to profile must be finite at the estimates, and is {value}")
    return function


def find(model: Any, fit: Any, which: Any) -> tuple[Array, int | None, Any]:
    """Return the combination of coefficients that a name, a number or an array stands for, its place, and its name.

    Raises
    ------
    ValueError
        For one that is not there, or that is aliased.
    """
    names, labels = model.exog_names, list(fit._coefficients)
    combination, place = np.zeros(len(names)), None
    if isinstance(which, str) or np.ndim(which) == 0:
        place = coefficient_number(fit, which)
        combination[place] = 1.0
        label = labels[place]
    else:
        combination = np.asarray(which, dtype=float)
        if combination.shape != (len(names),) or not np.isfinite(combination).all() or not combination.any():
            raise ValueError(
                f"a combination needs a finite number for each of the {len(names)} coefficients, not all 0; it has shape "
                f"{combination.shape}"
            )
        parts = [f"{c:+g} {name}" for c, name in zip(combination, names, strict=True) if c]
        label = " ".join(parts).removeprefix("+").replace("+1 ", "+").removeprefix("1 ")
    lost = [n for n, c, k in zip(names, combination, fit.fitted.kept, strict=True) if c and not k]
    if lost:
        raise ValueError(f"a profile needs identified coefficients, and {', '.join(lost)} is aliased; take others")
    return combination, place, label
