"""What families of classes share: counts of each class in a row, one predictor for all classes but one."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special

from natfit.families import links as link_functions
from natfit.families.distributional.base import Array, DistributionalFamily, Matrix, Theta
from natfit.families.interval import REAL
from natfit.families.link_base import Link
from natfit.families.support import Support

CONSTANTS = ("Intercept", "const")
"""Columns that are never parallel: each class has its own."""


def class_support(n_classes: int) -> Support:
    """Return the support of counts of classes: whole numbers that are not all zero."""

    def inside(y: Array) -> Any:
        return ((y >= 0.0) & (y == np.floor(y))).all(axis=-1) & (y.sum(axis=-1) > 0.0)

    text = f"counts of {n_classes} classes, whole numbers that are not all zero"
    return Support(text, inside, discrete=True, event_shape=(n_classes,), remedy="drop or mend these rows")


class Classes(DistributionalFamily):
    """A law over J classes whose K = J - 1 parameters are the predictors themselves; links are the family's own.

    A row is a case, its response one of the classes; or it is a column of counts for each class, and the log-likelihood has
    the multinomial coefficients.

    Parameters
    ----------
    link : str or Link, optional
    parallel : bool, str, sequence of str, or mapping of str to bool
        Which columns of the design have one coefficient for all predictors: all but the constant, none, those named (by
        column, or by the term, which is the column without its levels), or all but those that are given as False.
    classes : sequence, optional
        The classes in order; taken from the response where left out.
    """

    information = "closed form"
    shared_predictors = True
    class_predictors = True
    default_link = "logit"
    ordinal = True
    default_parallel: bool = False

    def __init__(self, link: Any = None, parallel: Any = None, classes: Sequence[Any] | None = None):
        self.link: Link = link_functions.get(self.default_link if link is None else link)
        self.parallel: Any = self.default_parallel if parallel is None else parallel
        if isinstance(parallel, str):
            self.parallel = (parallel,)
        self.classes = None if classes is None else tuple(classes)
        self._name_parameters()

    def _name_parameters(self) -> None:
        classes = self.classes or ("class 1", "class 2")
        self.parameter_names = tuple(self.events(classes))
        self.domains = (REAL,) * len(self.parameter_names)
        self.default_links = ("identity",) * len(self.parameter_names)
        self.support = class_support(len(classes))
        self.class_names = [str(each) for each in classes]

    def events(self, classes: Sequence[Any]) -> list[str]:
        """Return what each predictor is of, in words short enough for a name."""
        raise NotImplementedError

    @classmethod
    def examples(cls) -> tuple[Any, ...]:
        return (cls(classes=("a", "b", "c")),)

    def every_response(self) -> Array | None:
        return np.eye(len(self.class_names or ()))

    def with_link(self, link: Any) -> Classes:
        made = copy.copy(self)
        made.link = link_functions.get(link)
        if made.link.mean_range.low != 0.0 or made.link.mean_range.high != 1.0:
            raise ValueError(
                f"the {self.name} family needs a link of probabilities, such as 'logit'; got {made.link.name!r}"
            )
        return made

    # -- the response ---------------------------------------------------------------------------------------------

    def bind(
        self, y: Array, name: str = "y", levels: Sequence[Any] | None = None
    ) -> tuple[DistributionalFamily, Array]:
        if y.ndim == 2:
            names = name.split(" + ")
            numbered = self.classes or list(range(1, y.shape[1] + 1))
            classes: Sequence[Any] = names if len(names) == y.shape[1] else numbered
            self._check_columns(classes, y.shape[1])
            counts = y
        else:
            classes, codes = self._codes(y, name, levels)
            counts = np.zeros((len(y), len(classes)))
            counts[np.arange(len(y)), codes] = 1.0
        if len(classes) < 2:
            raise ValueError(f"{name!r} must have two classes or more, and has {len(classes)}")
        made = copy.copy(self)
        made.classes = tuple(classes)
        made._name_parameters()
        counts = made.support.check(self.name, counts, name)
        empty = [str(each) for each, total in zip(classes, counts.sum(axis=0).tolist(), strict=True) if not total]
        if empty:
            raise ValueError(
                f"class {', '.join(empty)} of {name!r} has no rows, so nothing is known of it; leave it out (for a "
                "categorical column: .cat.remove_unused_categories())"
            )
        return made, counts

    def _codes(self, y: Array, name: str, levels: Sequence[Any] | None) -> tuple[Sequence[Any], Array]:
        if levels is None:
            values, codes = np.unique(y, return_inverse=True)
            shown = [int(value) if value == int(value) else value for value in values.tolist()]
            if len(shown) > 50:
                raise ValueError(
                    f"{name!r} has {len(shown)} distinct numbers, and the {self.name} family takes each for a class; use a "
                    "family of numbers"
                )
            order = self._ordered(shown, name)
            return order, np.array([order.index(value) for value in shown])[codes]
        if self.ordinal and self.classes is None and not getattr(levels, "ordered", False) and len(levels) > 2:
            raise ValueError(
                f"the {self.name} family needs ordered classes, and those of {name!r} ({', '.join(map(str, levels[:5]))}) "
                "have no order: give pandas.Categorical(..., categories=[...], ordered=True), or use 'multinomial'"
            )
        order = self._ordered(list(levels), name)
        place = np.array([order.index(level) for level in levels])
        return order, place[y.astype(int)]

    def _ordered(self, found: list[Any], name: str) -> list[Any]:
        """Return the classes of a response in the order that was given, or as they come where none was."""
        if self.classes is None:
            return found
        given = {str(each) for each in self.classes}
        unknown = [str(each) for each in found if str(each) not in given]
        if unknown:
            raise ValueError(
                f"{name!r} has the class {', '.join(unknown)}, which is none of classes="
                f"({', '.join(map(str, self.classes))}); name all classes in their order, or leave classes out"
            )
        by_name = {str(each): each for each in found}
        return [by_name.get(str(each), each) for each in self.classes]

    def _check_columns(self, columns: Sequence[Any], n_columns: int) -> None:
        given = self.classes
        if given is not None and (len(given) != n_columns or list(map(str, given)) != list(map(str, columns))):
            raise ValueError(
                f"classes=({', '.join(map(str, given))}) are not the response's columns of counts, which are "
                f"{', '.join(map(str, columns))}; write the columns in the order of the classes, and leave classes out"
            )

    def start(self, y: Array, weight: Array | None) -> list[float]:
        total = y.sum(axis=0) if weight is None else weight @ y
        with np.errstate(divide="ignore"):
            return [float(value) for value in self.at(total / total.sum())]

    def at(self, shares: Array) -> Array:
        """Return the predictors (K,) at which the classes have these probabilities (J,)."""
        raise NotImplementedError

    # -- the law --------------------------------------------------------------------------------------------------

    def probabilities(self, theta: Theta) -> list[Array]:
        """Return the J probabilities of each row."""
        raise NotImplementedError

    def log_prob(self, y: Array, theta: Theta) -> Array:
        coefficient = special.gammaln(y.sum(axis=-1) + 1.0) - special.gammaln(y + 1.0).sum(axis=-1)
        chances = self.probabilities(theta)
        return coefficient + sum(special.xlogy(y[..., j], chance) for j, chance in enumerate(chances))

    def mean(self, theta: Theta) -> Array:
        """Return the probabilities of the classes, (n, J)."""
        return np.column_stack(self.probabilities(theta))

    def variance(self, theta: Theta) -> Array:
        chances = self.mean(theta)
        return chances * (1.0 - chances)

    def cdf(self, y: Array, theta: Theta) -> Array:
        """Return the probability of a row's class, counted in one case, or one before it in the order."""
        if not self.ordinal:
            raise NotImplementedError(f"the classes of the {self.name} family have no order")
        upto = np.minimum(np.cumsum(self.mean(theta), axis=1), 1.0)
        return np.asarray(upto[np.arange(len(y)), y.argmax(axis=1)])

    def sample(self, theta: Theta, rng: np.random.Generator) -> Array:
        chances = np.column_stack(np.broadcast_arrays(*self.probabilities(theta)))
        reached = rng.uniform(size=len(chances))[:, None] > np.cumsum(chances, axis=1)[:, :-1]
        return np.eye(chances.shape[1])[reached.sum(axis=1)]

    def example_parameters(self) -> Array:
        return np.array([[0.4, -0.7], [-1.0, -1.6], [1.5, 0.2]])

    # -- parallel terms -------------------------------------------------------------------------------------------

    def constraints(self, layout: Any, names: Mapping[str, Sequence[str]]) -> tuple[Array, list[str]] | None:
        if self.parallel is False:
            return None
        parts = list(layout.slices)
        columns = list(names[parts[0]])
        together = [column for column in columns if self._is_parallel(column, columns)]
        if any(list(names[part]) != columns for part in parts):
            raise ValueError(
                "parallel terms need the same formula for every class; give one formula, or parallel=False"
            )
        free = [f"{part}:{column}" for part in parts for column in columns if column not in together]
        matrix = np.zeros((layout.size, len(free) + len(together)))
        for row, name in enumerate(layout.names):
            column = columns[row % len(columns)]
            matrix[row, len(free) + together.index(column) if column in together else free.index(name)] = 1.0
        return matrix, [*free, *together]

    def _is_parallel(self, column: str, columns: Iterable[str]) -> bool:
        if column in CONSTANTS:
            return False
        term = term_of(column)
        if isinstance(self.parallel, Mapping):
            self._check_terms(self.parallel, columns)
            return bool(self.parallel.get(column, self.parallel.get(term, True)))
        if self.parallel is True:
            return True
        self._check_terms(self.parallel, columns)
        return column in self.parallel or term in self.parallel

    def _check_terms(self, given: Iterable[str], columns: Iterable[str]) -> None:
        known = {part for column in columns for part in (column, term_of(column))}
        for name in given:
            if name not in known:
                raise ValueError(
                    f"parallel names {name!r}, which is no column of the formula; it has {', '.join(columns)}"
                )

    def __repr__(self) -> str:
        told = [] if self.classes is None else [f"J={len(self.classes)}"]
        told += [f"link={self.link.name!r}"] if self.link.name != self.default_link else []
        told += [f"parallel={self.parallel!r}"] if self.parallel is not self.default_parallel else []
        return f"{type(self).__name__}({', '.join([*told, *self._told()])})"

    def _told(self) -> list[str]:
        """Return in words what else the law differs from its default in."""
        return []


def term_of(column: str) -> str:
    """Return the name of the term that a column is of: its own without the levels and numbers in square brackets.

    Examples
    --------
    >>> term_of("C(g)[T.b]:x"), term_of("bs(x, knots=[1, 2])[0]")
    ('C(g):x', 'bs(x, knots=[1, 2])')
    """
    kept, round_ones, square_ones = "", 0, 0
    for sign in column:
        inside = square_ones > 0
        if not round_ones:
            square_ones += (sign == "[") - (sign == "]")
        if not inside and not square_ones:
            round_ones += (sign == "(") - (sign == ")")
            kept += sign
    return kept


def totals(y: Array) -> Array:
    """Return the number of cases of each row."""
    return y.sum(axis=-1)


def summed_pairs(slopes: Sequence[Sequence[Array | None]], chances: Sequence[Array], cases: Array) -> Matrix:
    """Return cases * sum_j (dp_j / d eta_k)(dp_j / d eta_l) / p_j, from slopes[j][k]; None is 0."""
    size, found = len(slopes[0]), {}
    for k in range(size):
        for l in range(k, size):
            terms = [
                row[k] * row[l] / chance  # type: ignore[operator]
                for row, chance in zip(slopes, chances, strict=True)
                if row[k] is not None and row[l] is not None
            ]
            if terms:
                found[k, l] = cases * sum(terms)
    return found
