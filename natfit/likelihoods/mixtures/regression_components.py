"""GLMs as the components of a mixture: their rows, log-densities, scores, and steps of EM."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.data.grouped import first_rows
from natfit.likelihoods.glm import GLMLikelihood
from natfit.likelihoods.glm import Rows as Predicted
from natfit.likelihoods.mixtures.components import Components
from natfit.metric import Gram

Array = np.ndarray[Any, np.dtype[Any]]

SHORTEST = 0.05
"""Least factor on a dispersion in one step of EM."""


class RegressionRows:
    """A block as components see it, with what was computed of it last.

    Parameters
    ----------
    block : Block
        Columns ``y``, and where there are any ``offset``, ``freq_weights``, ``var_weights``, ``trials``, ``group``.
    """

    def __init__(self, block: Block):
        self.block = block
        self.y = block.columns["y"]
        self.starts = first_rows(block)
        self.precision: Array | None = None  # what each row's information is multiplied by
        for name in ("var_weights", "trials"):
            column = block.columns.get(name)
            if column is not None:
                self.precision = column if self.precision is None else self.precision * column
        self._held: dict[int, tuple[Array, Predicted | None]] = {}

    @property
    def n_units(self) -> int:
        """Rows, or groups of rows that share a label."""
        return self.block.n_rows if self.starts is None else self.starts.size

    def predicted(self, k: int, member: GLMLikelihood, coefficients: Array) -> Predicted | None:
        """Return the rows under a component, or None where a mean lies outside its domain."""
        held = self._held.get(k)
        if held is None or not np.array_equal(held[0], coefficients):
            with np.errstate(all="ignore"):  # what overflows has left the domain, and the log-likelihood says so
                held = self._held[k] = (coefficients.copy(), member.rows(coefficients, self.block))
        return held[1]

    def gathered(self, values: Array) -> Array:
        """Sum values of rows (..., n) to those of units (..., u); a row counts its frequency within a group."""
        if self.starts is None:
            return values
        frequency = self.block.columns.get("freq_weights")
        return np.add.reduceat(values if frequency is None else values * frequency, self.starts, axis=-1)

    def spread(self, share: Array) -> Array:
        """Return what each row counts, from what its unit does, (..., u) to (..., n)."""
        if self.starts is None:
            return share
        frequency = self.block.columns.get("freq_weights")
        each = np.repeat(share, np.diff(np.append(self.starts, self.block.n_rows)), axis=-1)
        return each if frequency is None else each * frequency


class RegressionComponents(Components):
    """K generalized linear models for the same rows and columns.

    Component k has coefficients beta_k and, where its family's dispersion is free, log phi_k; any of them may be one for
    all components. Its log-density is ``Response.response_log_prob``, normalised, in which the dispersion is a parameter
    like others.

    Parameters
    ----------
    members : sequence of GLMLikelihood
        One for each component.
    columns : sequence of str
        Of the design, p.
    shared : (p,) array of bool, optional
        Columns with one coefficient for all components.
    dispersion : float or {"free", "shared"}
        Of families that know none of their own.
    """

    def __init__(
        self,
        members: Sequence[GLMLikelihood],
        columns: Sequence[str],
        shared: Array | None = None,
        dispersion: float | str = "free",
    ):
        self.members, self.columns = list(members), tuple(columns)
        self.n_components, self.dim = len(self.members), len(self.columns)
        self.held = 1.0 if isinstance(dispersion, str) else float(dispersion)
        names: list[str] = []
        self.coefficients_at = np.empty((self.n_components, self.dim), dtype=np.int64)
        self.dispersion_at = np.full(self.n_components, -1)
        common: dict[str, int] = {}

        def place(name: str, k: int, one: bool) -> int:
            if one and name in common:
                return common[name]
            names.append(name if one else f"{name}[{k}]")
            common[name] = len(names) - 1
            return len(names) - 1

        for k, member in enumerate(self.members):
            for j, name in enumerate(self.columns):
                self.coefficients_at[k, j] = place(name, k, shared is not None and bool(shared[j]))
            if member.family.dispersion is None and isinstance(dispersion, str):
                self.dispersion_at[k] = place("log_dispersion", k, dispersion == "shared")
        self.names, self.size = tuple(names), len(names)
        free = self.dispersion_at[self.dispersion_at >= 0]
        self.bounded = np.unique(free).size < max(free.size, 2)
        self.alike = all(member.family == members[0].family and member.link == members[0].link for member in members)

    def dispersion(self, params: Array, k: int) -> float:
        """Return the dispersion of a component."""
        place = self.dispersion_at[k]
        if place < 0:
            return self.held if self.members[k].family.dispersion is None else 1.0
        return float(np.exp(params[place]))

    def view(self, block: Block) -> RegressionRows:
        return RegressionRows(block)

    def log_prob(self, params: Array, rows: RegressionRows) -> Array:
        """Return log f_k of each unit, (K, u); NaN where a mean lies outside the domain."""
        made = np.full((self.n_components, rows.n_units), np.nan)
        known = rows.block.columns
        for k, member in enumerate(self.members):
            found = rows.predicted(k, member, params[self.coefficients_at[k]])
            if found is None:
                continue
            options: dict[str, Any] = {}
            if member.family.name == "binomial":
                options = {"trials": known.get("trials"), "complement": found.complement}
            each = member.family.response_log_prob(
                rows.y,
                found.mu,
                dispersion=self.dispersion(params, k),
                weight=known.get("var_weights", 1.0),
                **options,
            )
            made[k] = rows.gathered(each)
        return made

    def _derivatives(self, params: Array, rows: RegressionRows, k: int) -> tuple[Array, Array, Array]:
        """Return d log f / d eta of each row, its expected and its observed information in eta."""
        member = self.members[k]
        found = rows.predicted(k, member, params[self.coefficients_at[k]])
        assert found is not None
        first, expected = member.derivatives(found, rows.precision)
        observed = member.observed(found, expected, rows.precision)
        phi = self.dispersion(params, k)
        return (first, expected, observed) if phi == 1.0 else (first / phi, expected / phi, observed / phi)

    def _dispersion_derivatives(self, params: Array, rows: RegressionRows, k: int) -> tuple[Array, Array]:
        member = self.members[k]
        found = rows.predicted(k, member, params[self.coefficients_at[k]])
        assert found is not None
        weight = rows.block.columns.get("var_weights", 1.0)
        return member.family.dispersion_derivatives(rows.y, found.mu, self.dispersion(params, k), weight)

    def completed(self, params: Array, rows: RegressionRows, share: Array) -> Array:
        """Return the complete data's score, the expected information of each component's coefficients, which know nothing
        of those of the others, and the rows of each, in one vector."""
        score, gram = np.zeros(self.size), np.empty((self.n_components, self.dim, self.dim))
        design = rows.block.designs["mean"]
        each = rows.spread(share)
        for k, at in enumerate(self.coefficients_at):
            first, expected, _ = self._derivatives(params, rows, k)
            score[at] += design.rmatvec(each[k] * first)
            gram[k] = design.gram(each[k] * expected)
            if self.dispersion_at[k] >= 0:
                score[self.dispersion_at[k]] += self._dispersion_derivatives(params, rows, k)[0] @ each[k]
        return np.concatenate([score, gram.ravel(), each.sum(axis=1)])

    def cut(self, completed: Array) -> tuple[Array, Array, Array]:
        """Return what `completed` holds: score (size,), information (K, p, p), rows (K,)."""
        score, gram, counts = np.split(completed, [self.size, completed.size - self.n_components])
        return score, gram.reshape(self.n_components, self.dim, self.dim), counts

    def maximize(self, completed: Array, params: Array) -> Array:
        """Return the parameters after one scoring step of each component, then its dispersion at the new means.

        For Gaussian components with identity links that is EM's own step; for others it is generalised EM.
        """
        score, grams, counts = self.cut(completed)
        gram = np.zeros((self.size, self.size))
        for own, each in zip(self.coefficients_at, grams, strict=True):
            gram[np.ix_(own, own)] += each
        made = params.copy()
        at = np.unique(self.coefficients_at)
        vector = np.zeros(self.size)
        vector[at] = Gram(gram[np.ix_(at, at)]).solve(score[at])
        made += vector
        gain = float(vector @ score)
        for place in np.unique(self.dispersion_at[self.dispersion_at >= 0]):
            own = self.dispersion_at == place
            # What the step of the coefficients takes off the deviance: all of it, or this component's own part.
            mine = np.unique(self.coefficients_at[own])
            off = gain if own.all() else float(vector[mine] @ gram[np.ix_(mine, mine)] @ vector[mine])
            factor = 1.0 + (2.0 * score[place] - off) / counts[own].sum()
            made[place] += np.log(max(factor, SHORTEST))
        return made

    def score(self, params: Array, rows: RegressionRows, share: Array, completed: Array) -> Array:
        return completed[: self.size]

    def scores(self, params: Array, rows: RegressionRows) -> Iterator[tuple[Array, Array]]:
        design = rows.block.designs["mean"].dense().T
        for k, at in enumerate(self.coefficients_at):
            each = design * self._derivatives(params, rows, k)[0]
            if self.dispersion_at[k] >= 0:
                at = np.append(at, self.dispersion_at[k])
                each = np.concatenate([each, self._dispersion_derivatives(params, rows, k)[0][None]])
            yield at, rows.gathered(each)

    def add_information(self, params: Array, rows: RegressionRows, share: Array, into: Array) -> None:
        design = rows.block.designs["mean"]
        each = rows.spread(share)
        for k, at in enumerate(self.coefficients_at):
            first, _, observed = self._derivatives(params, rows, k)
            into[np.ix_(at, at)] += design.gram(each[k] * observed)
            place = self.dispersion_at[k]
            if place >= 0:  # the mean enters through w kernel / phi alone
                cross = design.rmatvec(each[k] * first)
                into[at, place] += cross
                into[place, at] += cross
                into[place, place] -= self._dispersion_derivatives(params, rows, k)[1] @ each[k]

    def begin(self, rows: RegressionRows, share: Array) -> Array:
        """Return parameters from shares (K, u): least squares on working responses, dispersions from what is left."""
        score, gram = np.zeros(self.size), np.zeros((self.size, self.size))
        each = rows.spread(share)
        weight = each if rows.precision is None else each * rows.precision
        for k, at in enumerate(self.coefficients_at):
            block = Block(rows.block.designs, {**rows.block.columns, "weight": weight[k]})
            sums = self.members[k].start_sums(block, float(weight[k] @ rows.y / weight[k].sum()))
            score[at] += sums["score"]
            gram[np.ix_(at, at)] += sums["metric"].matrix
        made = np.zeros(self.size)
        places = np.unique(self.coefficients_at)
        made[places] = Gram(gram[np.ix_(places, places)]).solve(score[places])
        free = self.dispersion_at >= 0
        if free.any():
            deviance = self.deviance(made, rows)
            made[self.dispersion_at[free]] = np.log((each * deviance)[free].sum() / each[free].sum())
        return made

    def deviance(self, params: Array, rows: RegressionRows) -> Array:
        """Return the unit deviance of each row from each component, weighted by its precision, (K, n)."""
        made = np.full((self.n_components, rows.block.n_rows), np.inf)
        for k, member in enumerate(self.members):
            found = rows.predicted(k, member, params[self.coefficients_at[k]])
            if found is not None:
                made[k] = member.family.unit_deviance(rows.y, found.mu, found.complement)
        return made if rows.precision is None else made * rows.precision

    @property
    def n_ordered(self) -> int:
        return self.n_components

    def reordered(self, params: Array, order: Array) -> Array:
        made = params.copy()
        for k, old in enumerate(order):
            made[self.coefficients_at[k]] = params[self.coefficients_at[old]]
            if self.dispersion_at[k] >= 0:
                made[self.dispersion_at[k]] = params[self.dispersion_at[old]]
        return made

    def spreads(self, params: Array) -> Array:
        """Return the dispersion of each component, (K, 1)."""
        return np.array([[self.dispersion(params, k)] for k in range(self.n_components)])
