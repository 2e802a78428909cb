"""Nominal and ordinal responses: multinomial, cumulative, adjacent-category and continuation-ratio models."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from natfit.families.distributional.base import Array, Matrix, Theta
from natfit.families.distributional.classes import CONSTANTS, Classes, summed_pairs, totals
from natfit.families.distributional.registry import register


def _softmax(etas: Sequence[Array]) -> tuple[list[Array], Array]:
    """Return the probabilities of the classes with these predictors, and of the one whose predictor is 0."""
    top = np.maximum(np.maximum.reduce(list(etas)), 0.0)
    parts = [np.exp(eta - top) for eta in etas]
    base = np.exp(-top)
    total = base + sum(parts)
    return [part / total for part in parts], base / total


class Multinomial(Classes):
    """log P(class) / P(baseline) is the predictor of each class but the baseline.

    Parameters
    ----------
    baseline : optional
        One of the classes; the first by default.
    parallel, classes
        As for `Classes`; nothing is parallel by default.

    Notes
    -----
    McCullagh & Nelder (1989), Generalized Linear Models, chapter 5.
    """

    name = "multinomial"
    ordinal = False

    def __init__(self, baseline: Any = None, parallel: Any = None, classes: Sequence[Any] | None = None):
        self.baseline = baseline
        super().__init__(None, parallel, classes)

    def _told(self) -> list[str]:
        return [] if self.baseline is None else [f"baseline={self.baseline!r}"]

    def with_link(self, link: Any) -> Classes:
        if str(getattr(link, "name", link)) != "logit":
            raise ValueError(f"the multinomial family has the logit link only, not {link!r}; leave links out")
        return self

    def _base(self, classes: Sequence[Any]) -> int:
        if self.baseline is None:
            return 0
        names = [str(each) for each in classes]
        if self.classes is not None and str(self.baseline) not in names:
            raise ValueError(f"the baseline {self.baseline!r} is no class of the response; they are {', '.join(names)}")
        return names.index(str(self.baseline)) if str(self.baseline) in names else 0

    def events(self, classes: Sequence[Any]) -> list[str]:
        base = self._base(classes)
        return [str(each) for j, each in enumerate(classes) if j != base]

    def section_title(self, parameter: str, links: Mapping[str, Any]) -> str:
        return f"log P({parameter}) / P({self.class_names[self._base(self.class_names)]})"  # type: ignore[index,arg-type]

    def at(self, shares: Array) -> Array:
        base = self._base(self.class_names or ())
        return np.log(np.delete(shares, base) / shares[base])

    def probabilities(self, theta: Theta) -> list[Array]:
        found, base = _softmax(theta)
        found.insert(self._base(self.class_names or ()), base)
        return found

    def score(self, y: Array, theta: Theta) -> list[Array]:
        cases, others = totals(y), np.delete(y, self._base(self.class_names or ()), axis=-1)
        return [others[..., k] - cases * chance for k, chance in enumerate(_softmax(theta)[0])]

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        chances, cases = _softmax(theta)[0], totals(y)
        return {
            (k, l): cases * chances[k] * ((1.0 - chances[k]) if k == l else -chances[l])
            for k in range(self.K)
            for l in range(k, self.K)
        }

    def observed(self, y: Array, theta: Theta) -> Matrix:
        return self.fisher(y, theta)


class Cumulative(Classes):
    """link(P(Y >= class)) is the predictor of each class but the first; of ``direction="<="``, link(P(Y <= class)).

    With parallel terms and the logit link these are proportional odds. In the default direction a positive coefficient
    speaks for higher classes, as in R's polr and statsmodels' OrderedModel; "<=" is VGAM's default.

    Parameters
    ----------
    link, parallel, classes
        As for `Classes`; all terms are parallel by default.
    direction : {">=", "<="}

    Notes
    -----
    McCullagh (1980), JRSS B 42, 109-142.
    """

    name = "cumulative"
    default_parallel = True

    def __init__(
        self, link: Any = None, parallel: Any = None, direction: str = ">=", classes: Sequence[Any] | None = None
    ):
        if direction not in (">=", "<="):
            raise ValueError(f"direction must be '>=' or '<=', got {direction!r}")
        self.direction = direction
        super().__init__(link, parallel, classes)

    def _told(self) -> list[str]:
        return [] if self.direction == ">=" else [f"direction={self.direction!r}"]

    @classmethod
    def examples(cls) -> tuple[Any, ...]:
        return (cls(classes=("a", "b", "c")), cls(link="cloglog", direction="<=", classes=("a", "b", "c")))

    def example_parameters(self) -> Array:
        falling = np.array([[0.4, -0.7], [-1.0, -1.6], [1.5, 0.2]])
        return falling if self.direction == ">=" else falling[:, ::-1]

    def constraints(self, layout: Any, names: Mapping[str, Sequence[str]]) -> tuple[Array, list[str]] | None:
        for part, columns in names.items():
            if not any(column in CONSTANTS for column in columns):
                raise ValueError(
                    f"the cumulative family needs a constant for each class, and {part} has {', '.join(columns)}; "
                    "add one named 'Intercept' or 'const'"
                )
        return super().constraints(layout, names)

    def events(self, classes: Sequence[Any]) -> list[str]:
        chosen = classes[1:] if self.direction == ">=" else classes[:-1]
        return [f"Y{self.direction}{each}" for each in chosen]

    def section_title(self, parameter: str, links: Mapping[str, Any]) -> str:
        return f"{self.link.name} P({parameter})"

    def at(self, shares: Array) -> Array:
        below = np.cumsum(shares)[:-1]
        return self.link(1.0 - below if self.direction == ">=" else below)

    def contains(self, theta: Theta) -> Array:
        falls = self.direction == ">="
        inside = np.isfinite(theta[0])
        for first, second in itertools.pairwise(theta):
            inside &= (first > second) if falls else (first < second)
        return inside

    def _below(self, theta: Theta) -> tuple[list[Array], list[Array], list[Array]]:
        """Return P(Y <= j), P(Y > j) and d P(Y <= j) / d eta_j for all classes but the last."""
        lower, upper, slopes = [], [], []
        for eta in theta:
            mean, complement, slope = self.link.mean(eta)
            rest = 1.0 - mean if complement is None else complement
            down = self.direction == ">="
            lower.append(rest if down else mean)
            upper.append(mean if down else rest)
            slopes.append(-slope if down else slope)
        return lower, upper, slopes

    def probabilities(self, theta: Theta) -> list[Array]:
        lower, upper, _ = self._below(theta)
        found = [lower[0]]
        for j in range(1, len(lower)):
            # of two differences that are equal the one between smaller numbers
            found.append(np.where(lower[j] < 0.5, lower[j] - lower[j - 1], upper[j - 1] - upper[j]))
        return [*found, upper[-1]]

    def _slopes(self, theta: Theta) -> list[list[Array | None]]:
        size, slopes = len(theta), self._below(theta)[2]
        found: list[list[Array | None]] = []
        for j in range(size + 1):
            row: list[Array | None] = [None] * size
            if j < size:
                row[j] = slopes[j]
            if j > 0:
                row[j - 1] = -slopes[j - 1]
            found.append(row)
        return found

    def score(self, y: Array, theta: Theta) -> list[Array]:
        chances, slopes = self.probabilities(theta), self._below(theta)[2]
        ratio = [np.where(y[..., j] > 0.0, y[..., j] / chance, 0.0) for j, chance in enumerate(chances)]
        return [slope * (ratio[k] - ratio[k + 1]) for k, slope in enumerate(slopes)]

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        return summed_pairs(self._slopes(theta), self.probabilities(theta), totals(y))

    def observed(self, y: Array, theta: Theta) -> Matrix:
        chances, slopes = self.probabilities(theta), self._slopes(theta)
        shares = [y[..., j] / chance**2 for j, chance in enumerate(chances)]
        found: Matrix = {}
        for k in range(self.K):
            for l in range(k, min(k + 2, self.K)):
                rows = [j for j in range(self.K + 1) if slopes[j][k] is not None and slopes[j][l] is not None]
                found[k, l] = sum(shares[j] * slopes[j][k] * slopes[j][l] for j in rows)
        score = self.score(y, theta)
        for k, eta in enumerate(theta):
            mean, _, slope = self.link.mean(eta)
            with np.errstate(all="ignore"):
                bend = self.link.curvature(eta, mean, slope) / slope
            found[k, k] = found[k, k] - np.where(slope != 0.0, score[k] * bend, 0.0)
        return found


class AdjacentCategory(Classes):
    """log P(Y = class) / P(Y = the class before) is the predictor of each class but the first.

    Source: Agresti (2010), Analysis of Ordinal Categorical Data, section 4.1.
    """

    name = "adjacent_category"

    def with_link(self, link: Any) -> Classes:
        if str(getattr(link, "name", link)) != "logit":
            raise ValueError(f"the adjacent_category family has the logit link only, not {link!r}; leave links out")
        return self

    def events(self, classes: Sequence[Any]) -> list[str]:
        return [f"{second}/{first}" for first, second in itertools.pairwise(classes)]

    def section_title(self, parameter: str, links: Mapping[str, Any]) -> str:
        second, _, first = parameter.partition("/")
        return f"log P({second}) / P({first})"

    def at(self, shares: Array) -> Array:
        return np.log(shares[1:] / shares[:-1])

    def probabilities(self, theta: Theta) -> list[Array]:
        found, base = _softmax(list(np.cumsum(np.broadcast_arrays(*theta), axis=0)))
        return [base, *found]

    def score(self, y: Array, theta: Theta) -> list[Array]:
        cases, chances = totals(y), self.probabilities(theta)
        rows = [y[..., j] - cases * chance for j, chance in enumerate(chances)]
        return [sum(rows[k + 1 :], np.zeros_like(cases)) for k in range(self.K)]

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        # the predictors' scores are sums over the upper classes: their covariance is P(upper of both) P(lower of both)
        chances, cases = self.probabilities(theta), totals(y)
        upper = [sum(chances[k + 1 :], np.zeros_like(cases)) for k in range(self.K)]
        return {(k, l): cases * upper[l] * (1.0 - upper[k]) for k in range(self.K) for l in range(k, self.K)}

    def observed(self, y: Array, theta: Theta) -> Matrix:
        return self.fisher(y, theta)


class ContinuationRatio(Classes):
    """link(P(Y > class given Y >= class)) is the predictor of each class but the last.

    The log-likelihood is that of one binomial after another, so predictors without common coefficients are fitted apart.
    Source: Agresti (2010), Analysis of Ordinal Categorical Data, section 4.2; VGAM's cratio.
    """

    name = "continuation_ratio"

    def events(self, classes: Sequence[Any]) -> list[str]:
        return [f"Y>{each}" for each in classes[:-1]]

    def section_title(self, parameter: str, links: Mapping[str, Any]) -> str:
        return f"{self.link.name} P({parameter} | Y>={parameter[2:]})"

    def at(self, shares: Array) -> Array:
        above = np.cumsum(shares[::-1])[::-1]
        return self.link(above[1:] / above[:-1])

    def _passing(self, theta: Theta) -> list[tuple[Array, Array, Array]]:
        found = []
        for eta in theta:
            mean, complement, slope = self.link.mean(eta)
            found.append((mean, 1.0 - mean if complement is None else complement, slope))
        return found

    def probabilities(self, theta: Theta) -> list[Array]:
        found, reached = [], np.ones(np.shape(theta[0]))
        for mean, complement, _ in self._passing(theta):
            found.append(reached * complement)
            reached = reached * mean
        return [*found, reached]

    def score(self, y: Array, theta: Theta) -> list[Array]:
        above = np.cumsum(y[..., ::-1], axis=-1)[..., ::-1]
        return [
            (above[..., k + 1] * complement - y[..., k] * mean) * _per_variance(slope, mean * complement)
            for k, (mean, complement, slope) in enumerate(self._passing(theta))
        ]

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        found, reached = {}, totals(y)
        for k, (mean, complement, slope) in enumerate(self._passing(theta)):
            found[k, k] = reached * slope * _per_variance(slope, mean * complement)
            reached = reached * mean
        return found


def _per_variance(slope: Array, variance: Array) -> Array:
    """Return their quotient; 1 where both round to 0, far out in a tail, and what it is multiplied by is 0 as well."""
    return np.divide(slope, variance, out=np.ones_like(slope), where=variance > 0.0)


register(Multinomial)
register(Cumulative)
register(AdjacentCategory, aliases=("adjacent", "acat"))
register(ContinuationRatio, aliases=("continuation", "cratio"))
