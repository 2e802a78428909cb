"""What a user may choose for a race: coordinates, optimizers and the start, each by name or as an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from natfit.diagnostics.races.field import Field
from natfit.optimize.directions import Direction
from natfit.optimize.moves import straight
from natfit.optimize.optimizer import Optimizer
from natfit.optimize.registry import OPTIMIZERS
from natfit.optimize.scipy_methods import ScipyMethod
from natfit.optimize.steps import FixedStep
from natfit.parametrizations import Identity, Parametrization

Array = np.ndarray[Any, np.dtype[Any]]

SETTINGS = {"kl_ball": "radius"}
"""What the number after an optimizer's name sets, where it is not the step."""


def resolve_charts(field: Field, wanted: Any) -> dict[str, Parametrization]:
    """Return the coordinates to race in, by name.

    Raises
    ------
    ValueError
        For a name that the model does not have, or coordinates of another size.
    """
    known = field.known_charts
    if wanted is None:
        wanted = list(known)
    if isinstance(wanted, str | Parametrization):
        wanted = [wanted]
    if not isinstance(wanted, Mapping):
        wanted = {each if isinstance(each, str) else repr(each): each for each in wanted}
    if not wanted:
        raise ValueError(f"a race needs a parametrization; there are {', '.join(known)}")
    charts = {name: resolve_chart(field, each) for name, each in wanted.items()}
    p = len(field.home_names)
    for name, chart in charts.items():
        if (chart.size, chart.home_size) != (p, p):
            raise ValueError(
                f"the parametrization {name} has {chart.size} coordinates for {chart.home_size} parameters, and a race "
                f"needs {p} for the {p} of {field.title}: every path must be able to start at the same distribution"
            )
    return charts


def resolve_chart(field: Field, which: Any) -> Parametrization:
    """Return coordinates by name, or those given."""
    if isinstance(which, Parametrization):
        return which
    known = field.known_charts
    if which not in known:
        raise ValueError(f"{field.title}: there is no parametrization {which!r}; choose from {', '.join(known)}")
    return known[which]


def resolve_start(field: Field, start: Any, start_in: Any) -> Array:
    """Return the home parameters that every run starts from.

    Parameters
    ----------
    start : (p,) array_like or mapping of coordinate names to numbers, optional
    start_in : str or Parametrization, optional
        The coordinates that it is given in.

    Raises
    ------
    ValueError
        If it has another size, is not finite, or lies outside the domain.
    """
    if start is None:
        if start_in is not None:
            raise ValueError("start_in names the coordinates of a start; give start= too")
        return field.default_start()
    chart = Identity(field.home_names) if start_in is None else resolve_chart(field, start_in)
    names = ", ".join(chart.names)
    if isinstance(start, Mapping):
        if set(start) != set(chart.names):
            raise ValueError(f"start must have a value for each of {names}, and has {', '.join(map(str, start))}")
        start = [start[name] for name in chart.names]
    xi = np.asarray(start, dtype=float)
    if xi.shape != (chart.size,):
        raise ValueError(f"start needs one number for each of {names}, in this order, but has shape {xi.shape}")
    with np.errstate(all="ignore"):
        inside = bool(np.all(chart.contains(xi))) and field.contains(chart.to_home(xi))
    if not inside:
        shown = ", ".join(f"{name}={value:g}" for name, value in zip(chart.names, xi, strict=True))
        raise ValueError(f"the start ({shown}) lies outside the domain of {field.title}; start inside it")
    return chart.to_home(xi)


def start_in_charts(charts: Mapping[str, Parametrization], start: Array) -> dict[str, Array]:
    """Return the start's coordinates in each of the charts, or say which of them can't hold it."""
    found = {}
    for name, chart in charts.items():
        try:
            with np.errstate(all="ignore"):
                found[name] = np.asarray(chart.from_home(start), dtype=float)
            if not (np.isfinite(found[name]).all() and np.all(chart.contains(found[name]))):
                raise ValueError
        except ValueError:
            values = [f"{value:g}" for value in start]
            raise ValueError(
                f"the start ({', '.join(values)} in home parameters) has no coordinates in the parametrization {name}; "
                "start elsewhere or leave it out"
            ) from None
    return found


def resolve_optimizers(wanted: Any) -> dict[str, Any]:
    """Return optimizers by the names that tables and plots call them, no two alike.

    Raises
    ------
    ValueError
        For an unknown name, or where there are none.
    TypeError
        For what is no optimizer.

    Examples
    --------
    >>> list(resolve_optimizers(["natural_gradient:0.1", "natural_gradient", "bfgs"]))
    ['natural gradient, step 0.1', 'natural gradient', 'BFGS']
    """
    if wanted is None:
        wanted = ["gradient_descent:0.1", "natural_gradient:0.1"]
    if isinstance(wanted, Mapping):
        return {str(name): _optimizer(each) for name, each in wanted.items()}
    found: dict[str, Any] = {}
    for each in [wanted] if isinstance(wanted, str) or hasattr(wanted, "run") else wanted:
        optimizer = _optimizer(each)
        label = base = _label(optimizer)
        number = 1
        while label in found:
            number += 1
            label = f"{base} ({number})"
        found[label] = optimizer
    if not found:
        raise ValueError(f"a race needs an optimizer; by name there are {', '.join(OPTIMIZERS.names())}")
    return found


def _optimizer(given: Any) -> Any:
    if isinstance(given, str):
        return _by_name(given)
    if isinstance(given, Direction) or callable(getattr(given, "run", None)):
        return given
    raise TypeError(
        "an optimizer is a natfit.optimize.Optimizer, a Direction, an object with a method run, or one of the names "
        f"{', '.join(OPTIMIZERS.names())}; got {type(given).__name__}"
    )


def _by_name(text: str) -> Any:
    """Return the optimizer that ``name`` or ``name:number`` stands for."""
    name, colon, value = (part.strip() for part in text.partition(":"))
    made = OPTIMIZERS.make(name)
    if not colon:
        return made
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"{text!r} must be an optimizer's name and a number, as in 'natural_gradient:0.1'") from None
    if isinstance(made, ScipyMethod):
        raise ValueError(f"{name!r} finds its own steps, so it takes no number; write {name!r} alone")
    return OPTIMIZERS.make(name, **{SETTINGS.get(name, "step"): number})


def _label(optimizer: Any) -> str:
    label = getattr(optimizer, "name", "") or type(optimizer).__name__
    if isinstance(optimizer, Optimizer):
        if isinstance(optimizer.step, FixedStep):
            label += f", step {optimizer.step.step:g}"
        if optimizer.move is not straight:
            label += f", {_words(optimizer.move)}"
    return label


def _words(move: Any) -> str:
    """Return what a move is called: geodesics straight in other coordinates by those coordinates."""
    if hasattr(move, "target"):
        return f"straight in {', '.join(move.target.names)}"
    name = getattr(move, "__name__", type(move).__name__)
    return {"Midpoint": "midpoint", "GeodesicCorrected": "geodesic-corrected", "FisherRao": "Fisher-Rao"}.get(
        name, name
    )
