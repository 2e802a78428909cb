"""Instruments on top of everything else: what the theory says, checked by computing it.

Names load on first use; a new instrument is one more line in ``_NAMES``.

Examples
--------
>>> from natfit import diagnostics
>>> diagnostics.check_fisher("poisson", [3.0], draws=2_000).passed
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from natfit.diagnostics.invariance_report.report import InvarianceReport, invariance
    from natfit.diagnostics.races.races import Race, race
    from natfit.diagnostics.report import Report, Reports
    from natfit.diagnostics.theory import (
        check_cross_entropy,
        check_direction,
        check_expansion,
        check_fisher,
        check_score,
        check_steepest_descent,
        check_theory,
    )

_NAMES = {
    "InvarianceReport": "natfit.diagnostics.invariance_report.report",
    "Race": "natfit.diagnostics.races.races",
    "Report": "natfit.diagnostics.report",
    "Reports": "natfit.diagnostics.report",
    "check_cross_entropy": "natfit.diagnostics.theory",
    "check_direction": "natfit.diagnostics.theory",
    "check_expansion": "natfit.diagnostics.theory",
    "check_fisher": "natfit.diagnostics.theory",
    "check_score": "natfit.diagnostics.theory",
    "check_steepest_descent": "natfit.diagnostics.theory",
    "check_theory": "natfit.diagnostics.theory",
    "invariance": "natfit.diagnostics.invariance_report.report",
    "race": "natfit.diagnostics.races.races",
}
_MODULES = ("order", "plotting", "report", "theory")

__all__ = [
    "InvarianceReport",
    "Race",
    "Report",
    "Reports",
    "check_cross_entropy",
    "check_direction",
    "check_expansion",
    "check_fisher",
    "check_score",
    "check_steepest_descent",
    "check_theory",
    "invariance",
    "race",
]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        value = getattr(import_module(_NAMES[name]), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return import_module(f"natfit.diagnostics.{name}")
    raise AttributeError(f"module 'natfit.diagnostics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES])
