"""What axes are called: a parameter's name with its symbol and its unit."""

from __future__ import annotations

import re

SYMBOLS: dict[str, tuple[str, int | str]] = {
    "mean": ("μ", 1),
    "variance": ("σ²", 2),
    "precision": ("1/σ²", -2),
    "sd": ("σ", 1),
    "log_sd": ("log σ", "log"),
    "log_variance": ("log σ²", "log"),
    "mean_log": ("μ", 0),
    "variance_log": ("σ²", 0),
    "precision_log": ("1/σ²", 0),
    "sd_log": ("σ", 0),
    "log_sd_log": ("log σ", 0),
    "log_variance_log": ("log σ²", 0),
    "scale": ("θ", 1),
    "log_scale": ("log θ", "log"),
    "log_mean": ("log μ", "log"),
    "direction": ("μ", "radian"),
    "shape": ("k", 0),
    "log_shape": ("log k", 0),
    "dispersion": ("φ", 0),
    "concentration": ("κ", 0),
    "log_concentration": ("log κ", 0),
    "a": ("a", 0),
    "b": ("b", 0),
    "log_a": ("log a", 0),
    "log_b": ("log b", 0),
}
"""A coordinate's symbol, and its unit: a power of the observations' unit, its logarithm, or one of its own."""

OF_FAMILY: dict[str, dict[str, tuple[str, int | str]]] = {
    "gamma": {"rate": ("β", -1), "log_rate": ("log β", "log")},
    "beta": {"mean": ("μ", 0), "precision": ("φ", 0)},
    "inverse_gamma": {"shape": ("α", 0), "scale": ("β", 1)},
    "inverse_gaussian": {"shape": ("λ", 1), "log_shape": ("log λ", "log"), "dispersion": ("φ", -1)},
    "wishart": {"df": ("ν", 0)},
}
"""What a family calls otherwise."""

POWERS = {"y": 1, "y^2": 2, "1/y": -1}
"""Units of sufficient statistics; any other is a pure number, or a logarithm."""

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

_DUAL = re.compile(r"^(eta|E)\[(.*)\]$")


def axis_label(name: str, family: str = "", unit: str = "", quantity: str = "y") -> str:
    """Return the title of a coordinate's axis.

    Parameters
    ----------
    name : str
        Of the coordinate.
    family : str
        Registry name; empty for a GLM, whose coefficients go by their names alone.
    unit : str
        Of the observations, such as ``"cm"``; in words where it is not known.
    quantity : str
        What the observations are called.

    Examples
    --------
    >>> axis_label("variance", "gaussian", "cm")
    'variance σ² (cm²)'
    >>> axis_label("eta[y^2]", "gaussian", "cm")
    'natural parameter η of y^2 (cm⁻²)'
    >>> axis_label("log_sd", "gaussian", quantity="height")
    'log sd, log σ (log of the unit of height)'
    """
    if not family:
        return f"{name} (coefficient)"
    unit = unit or f"unit of {quantity}"
    dual = _DUAL.match(name)
    if dual:
        kind, statistic = dual.groups()
        power = POWERS.get(statistic, 0) * (-1 if kind == "eta" else 1)
        said = f"natural parameter η of {statistic}" if kind == "eta" else f"mean parameter E[{statistic}]"
        return f"{said} ({_in_unit(unit, power)})"
    known = {**SYMBOLS, **OF_FAMILY.get(family, {})}
    if name not in known:
        return name.replace("_", " ")
    symbol, power_or_unit = known[name]
    words = name.replace("_", " ")
    between = ", " if symbol.startswith(words.split()[0]) else " "
    said = words if words == symbol else f"{words}{between}{symbol}"
    return f"{said} ({_in_unit(unit, power_or_unit)})"


def _in_unit(unit: str, power: int | str) -> str:
    if power == 0:
        return "pure number"
    if isinstance(power, str):
        return (f"log of the {unit}" if unit.startswith("unit") else f"log {unit}") if power == "log" else power
    if power == 1:
        return unit
    if unit.startswith("unit"):
        return {2: f"{unit}, squared", -1: f"1 / {unit}", -2: f"1 / {unit}, squared"}[power]
    return unit + str(power).translate(SUPERSCRIPTS)
