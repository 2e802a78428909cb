"""What saved fits of every kind hold: families, links, the optimizer's outcome, a formula's frozen design."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from natfit.data.formulas.expand import Coding, FactorPlan, Part
from natfit.data.formulas.frozen import Design
from natfit.families import links
from natfit.families.link_base import REGISTRY as LINKS
from natfit.families.registry import REGISTRY
from natfit.likelihoods.sums import Sums
from natfit.metric import Gram, Metric, Triangular
from natfit.optimize.loop import Outcome
from natfit.optimize.objective import Point
from natfit.optimize.record import Record, Row
from natfit.results.storage import StorageError

Array = np.ndarray[Any, np.dtype[Any]]

CLASSES: dict[str, type] = {"part": Part, "coding": Coding, "factor": FactorPlan, "row": Row}

DESIGN = ("formula", "column_names", "terms", "parts", "factors", "state", "layout", "written")
"""A design's fields but for the names of its caller, which may be functions."""


class RowsNeeded(ValueError):
    """Something was asked of a saved fit that only the rows of its data could tell."""

    def __init__(self, what: str):
        super().__init__(f"a saved fit holds no rows, and {what} needs them; fit the model to its data again")


# -- families and links ------------------------------------------------------------------------------------------------


def family_to_plain(family: Any) -> dict[str, Any]:
    """Return a family's registered name and its constants."""
    entry = REGISTRY.entry(family.name) if REGISTRY.knows(family.name) else None
    names = inspect.signature(entry).parameters if isinstance(entry, type) else ()
    plain = {"name": family.name, "constants": {name: getattr(family, name, None) for name in names}}
    try:
        same = entry is not None and family_from_plain(plain) == family
    except (TypeError, ValueError):
        same = False
    if not same:
        raise StorageError(
            f"the family {family!r} can't be saved: it is not what its registered name and constants make; register its "
            "class with nf.families.register"
        )
    return plain


def family_from_plain(plain: Mapping[str, Any]) -> Any:
    """Return the registered family of a name, with its constants."""
    name = plain["name"]
    if not isinstance(name, str) or not REGISTRY.knows(name):
        raise StorageError(f"the family {name!r:.60} is not known here; register it with nf.families.register first")
    entry = REGISTRY.entry(name)
    return entry(**plain["constants"]) if isinstance(entry, type) else entry


def link_to_plain(link: Any) -> str:
    """Return a link's registered name, with its parameters."""
    if not LINKS.knows(link.name) or links.get(link.name) != link:
        raise StorageError(
            f"the link {link.name!r} can't be saved: its functions are your own; register it with "
            "nf.families.links.register, where it is saved and where it is loaded"
        )
    return link.name


def link_from_plain(name: Any) -> Any:
    """Return the registered link of a name."""
    if not isinstance(name, str) or not LINKS.knows(name):
        raise StorageError(
            f"the link {name!r:.60} is not known here; register it with nf.families.links.register first"
        )
    return links.get(name)


# -- what the optimizer left behind ------------------------------------------------------------------------------------


def outcome_to_plain(outcome: Outcome) -> dict[str, Any]:
    """Return where an optimization ended, without what it could go on with."""
    return {
        "params": np.asarray(outcome.params, dtype=float),
        "loglik": float(outcome.point.loglik),
        "converged": bool(outcome.converged),
        "reason": outcome.reason,
        "decrement": float(outcome.decrement),
        "record": list(outcome.record),
    }


def outcome_from_plain(plain: Mapping[str, Any]) -> Outcome:
    """Return an outcome whose point knows its log-likelihood alone."""
    record = Record()
    record.extend(plain["record"])
    if not all(isinstance(row, Row) for row in record):
        raise StorageError("the record has something other than rows")
    params = vector(plain["params"], None)
    point = Point(params, Sums(loglik=float(plain["loglik"])))
    return Outcome(params, point, plain["converged"], str(plain["reason"]), float(plain["decrement"]), record, None)


def metric_to_plain(metric: Metric) -> dict[str, Any]:
    """Return a metric as what it holds, so that it solves to the same last bit."""
    if isinstance(metric, Triangular):
        return {"factor": metric.factor}
    return {"matrix": metric.matrix_form()}


def metric_from_plain(plain: Mapping[str, Any]) -> Metric:
    """Return the metric."""
    return Triangular(plain["factor"]) if "factor" in plain else Gram(plain["matrix"])


def vector(value: Any, size: int | None, *more: int) -> Array:
    """Return an array if it has the shape that it must have."""
    if not isinstance(value, np.ndarray) or (size is not None and value.shape != (size, *more)):
        raise StorageError(f"an array of shape {(size, *more)} is missing")
    return value


# -- the formula's design ----------------------------------------------------------------------------------------------


def _modules() -> dict[str, Any]:
    """Return the modules that a formula may reach into, for functions that make numbers of numbers."""
    import scipy.special

    return {"numpy": np, "scipy.special": scipy.special}


def design_to_plain(design: Design | None, expressions: Mapping[str, str]) -> dict[str, Any] | None:
    """Return a frozen design as plain fields; refuse one that could not be loaded."""
    if design is None:
        return None
    names = {name: _name_to_plain(name, value) for name, value in design.context.items()}
    plain = {field: getattr(design, field) for field in DESIGN} | {"names": names}
    try:
        _check(design, expressions, names)
    except ValueError as error:
        raise StorageError(f"{error}; make a column of it, or a function of your own, and use that") from None
    return plain


def _name_to_plain(name: str, value: Any) -> list[Any]:
    """Return how a name of the caller is told: a column, a module, one of its functions, a function, or a value."""
    from natfit.data.formulas.allowed import is_numeric_function

    if value is None:
        return ["column"]
    for module_name, module in _modules().items():
        if value is module:
            return ["module", module_name]
        known = getattr(value, "__name__", None)
        if isinstance(known, str) and is_numeric_function(known, module) and getattr(module, known) is value:
            return ["of", module_name, known]
    if isinstance(value, types.ModuleType):
        raise StorageError(f"the formula uses the module {name}; use its functions by their own names")
    return ["function"] if callable(value) else ["value", value]


def design_from_plain(
    plain: Mapping[str, Any] | None, expressions: Mapping[str, str], trusted: Mapping[str, Callable[..., Any]]
) -> Design | None:
    """Return a frozen design, after every expression in it has been looked through."""
    if plain is None:
        return None
    names = plain["names"]
    needed = [name for name, (how, *_) in names.items() if how == "function"]
    lacking = [name for name in needed if not callable(trusted.get(name))]
    if lacking:
        given = ", ".join(f"{name!r}: {name}" for name in lacking)
        raise StorageError(
            f"its formula calls {', '.join(lacking)}, which a file does not bring along; give "
            f"trusted_functions={{{given}}} if you know what they do"
        )
    fields = {field: plain[field] for field in DESIGN}
    for field in ("column_names", "parts"):
        fields[field] = tuple(fields[field])
    fields["terms"] = tuple((str(name), place) for name, place in fields["terms"])
    if not all(isinstance(part, Part) for part in fields["parts"]) or not all(
        isinstance(place, slice) for _, place in fields["terms"]
    ):
        raise StorageError("its design has something other than parts and places")
    context = {name: _name_from_plain(name, *how, trusted=trusted) for name, how in names.items()}
    design = Design(context=context, **fields)
    _check(design, expressions, names)
    return design


def _name_from_plain(name: str, how: str, *what: Any, trusted: Mapping[str, Any]) -> Any:
    from natfit.data.formulas.allowed import is_numeric_function

    if how == "column":
        return None
    if how == "function":
        return trusted[name]
    if how == "value":
        return what[0]
    module = _modules()[what[0]]
    if how == "module":
        return module
    if how == "of" and is_numeric_function(what[1], module):
        return getattr(module, what[1])
    raise StorageError(f"the name {name!r:.60} stands for nothing that is known")


def _check(design: Design, expressions: Mapping[str, str], names: Mapping[str, Any]) -> None:
    """Refuse a design with an expression that may do more than transform columns."""
    from natfit.data.formulas.allowed import check_expression
    from natfit.data.formulas.parse import parse_python

    functions = {name for name, (how, *_) in names.items() if how in ("function", "of")}
    modules = {name: _modules()[what[0]] for name, (how, *what) in names.items() if how == "module"}
    for plan in design.factors.values():
        if not isinstance(plan, FactorPlan) or plan.method not in ("lookup", "literal", "python"):
            raise StorageError("its design has something other than factors")
        if plan.method == "python":
            check_expression(plan.expression, functions, modules)
    for expression in expressions.values():
        try:
            parse_python(expression)
        except ValueError as error:
            if str(error).startswith("can't read"):
                continue  # no Python, so a column's name and nothing else
            raise
        check_expression(expression, functions, modules)
