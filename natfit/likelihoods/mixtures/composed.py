"""Components made of others: independent columns of unlike families, and components without parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.likelihoods.mixtures.components import Components
from natfit.likelihoods.mixtures.geometry import Embedding, joined

Array = np.ndarray[Any, np.dtype[Any]]


class ProductComponents(Components):
    """Components under which groups of columns are independent, each group with a family of its own.

    With all columns Bernoulli or categorical these are latent classes.

    Parameters
    ----------
    parts : sequence of Components
        Of K components each; their parameters stand one part after another.

    Notes
    -----
    Lazarsfeld & Henry (1968), Latent Structure Analysis.
    """

    def __init__(self, parts: Sequence[Components]):
        self.parts = tuple(parts)
        self.n_components = self.parts[0].n_components
        self.size = sum(part.size for part in self.parts)
        self.names = tuple(f"{i}:{name}" for i, part in enumerate(self.parts) for name in part.names)
        self.width = sum(getattr(part, "width", 1) for part in self.parts)
        edges = np.cumsum([0] + [part.size for part in self.parts])
        self.slices = [slice(int(a), int(b)) for a, b in pairwise(edges)]
        self.bounded = all(part.bounded for part in self.parts)
        self.completed_width = sum(part.completed_width for part in self.parts)

    def view(self, block: Block) -> list[Any]:
        return [part.view(block) for part in self.parts]

    def _each(self, params: Array, rows: Any) -> Any:
        return ((part, params[..., at], own) for part, at, own in zip(self.parts, self.slices, rows, strict=True))

    def _cut(self, completed: Array) -> list[Array]:
        edges = np.cumsum([part.completed_width for part in self.parts])[:-1]
        return np.split(completed, edges, axis=-1)

    def joint(self, params: Array, log_weights: Array, rows: Any) -> Array:
        total: Array | None = None
        none = np.zeros_like(log_weights)
        for part, own, seen in self._each(params, rows):
            if total is None:
                total = part.joint(own, log_weights, seen)
            else:
                total += part.joint(own, none, seen)
        assert total is not None
        return total

    def log_prob(self, params: Array, rows: Any) -> Array:
        return self.joint(params, np.zeros((self.n_components, 1)), rows)

    def contains(self, params: Array) -> bool:
        return all(part.contains(params[..., at]) for part, at in zip(self.parts, self.slices, strict=True))

    def completed(self, params: Array, rows: Any, share: Array) -> Array:
        return np.concatenate(
            [part.completed(own, seen, share) for part, own, seen in self._each(params, rows)], axis=-1
        )

    def maximize(self, completed: Array, params: Array) -> Array:
        sums = zip(self.parts, self.slices, self._cut(completed), strict=True)
        return np.concatenate([part.maximize(own, params[..., at]) for part, at, own in sums], axis=-1)

    def expected(self, params: Array, counts: Array) -> Array:
        each = zip(self.parts, self.slices, strict=True)
        return np.concatenate([part.expected(params[..., at], counts) for part, at in each], axis=-1)

    def scores(self, params: Array, rows: Any) -> Iterator[tuple[Array, Array]]:
        starts = [at.start for at in self.slices]
        for each in zip(*(part.scores(own, seen) for part, own, seen in self._each(params, rows)), strict=True):
            places = [start + own for start, (own, _) in zip(starts, each, strict=True)]
            yield np.concatenate(places), np.concatenate([scores for _, scores in each])

    def score(self, params: Array, rows: Any, share: Array, completed: Array) -> Array:
        sums = self._cut(completed)
        each = zip(self._each(params, rows), sums, strict=True)
        return np.concatenate([part.score(own, seen, share, total) for (part, own, seen), total in each])

    def add_information(self, params: Array, rows: Any, share: Array, into: Array) -> None:
        for (part, own, seen), at in zip(self._each(params, rows), self.slices, strict=True):
            part.add_information(own, seen, share, into[at, at])

    def geometry(self, rows: Any, weight: Array) -> list[Embedding]:
        return joined([part.geometry(seen, weight) for part, seen in zip(self.parts, rows, strict=True)])

    def begin(self, rows: Any, share: Array) -> Array:
        return np.concatenate([part.begin(seen, share) for part, seen in zip(self.parts, rows, strict=True)], axis=-1)

    def reordered(self, params: Array, order: Array) -> Array:
        each = zip(self.parts, self.slices, strict=True)
        return np.concatenate([part.reordered(params[..., at], order) for part, at in each], axis=-1)

    def spreads(self, params: Array) -> Array:
        each = zip(self.parts, self.slices, strict=True)
        return np.concatenate([part.spreads(params[..., at]) for part, at in each if not part.bounded], axis=-1)

    def total_spread(self, completed: Array) -> Array:
        each = zip(self.parts, self._cut(completed), strict=True)
        return np.concatenate([part.total_spread(own) for part, own in each if not part.bounded])


class Noise:
    """A component without parameters: rows spread evenly over the box that the data span.

    Parameters
    ----------
    low, high : (d,) ndarray
        Corners of the box.

    Notes
    -----
    Banfield & Raftery (1993), Biometrics 49, section 5.
    """

    name = "noise"
    first_share = 0.05

    def __init__(self, low: Array, high: Array):
        self.low, self.high = low, high

    def log_prob(self, block: Block) -> Array:
        """Return the log-density of rows, (n,)."""
        y = block.columns["y"]
        y = y[:, None] if y.ndim == 1 else y
        inside = ((y >= self.low) & (y <= self.high)).all(axis=1)
        return np.where(inside, -np.log(self.high - self.low).sum(), -np.inf)

    def claims(self, block: Block) -> Array:
        """Return how much of each row the component takes to begin with, (n,)."""
        return np.full(block.n_rows, self.first_share)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Draw rows, (n, d)."""
        return rng.uniform(self.low, self.high, (n, len(self.low)))


class PointMass:
    """A component without parameters: all rows at one value, such as the zeros of a zero-inflated count.

    Parameters
    ----------
    at : float
    """

    name = "point mass"

    def __init__(self, at: float = 0.0):
        self.at = at

    def log_prob(self, block: Block) -> Array:
        """Return the log-probability of rows, (n,)."""
        return np.where(block.columns["y"] == self.at, 0.0, -np.inf)

    def claims(self, block: Block) -> Array:
        """Return how much of each row the component takes to begin with, (n,)."""
        return np.where(block.columns["y"] == self.at, 0.5, 0.0)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Draw rows, (n,)."""
        return np.full(n, self.at)


class WithFixed(Components):
    """Components, and behind them one without parameters.

    Parameters
    ----------
    main : Components
    fixed : Noise or PointMass
    """

    def __init__(self, main: Components, fixed: Any):
        self.main, self.fixed = main, fixed
        self.n_components = main.n_components + 1
        self.size, self.names = main.size, main.names
        self.width = getattr(main, "width", 1)
        self.bounded, self.completed_width = main.bounded, main.completed_width

    def _own(self, share: Array) -> Array:
        return share[..., : self.main.n_components, :]

    def view(self, block: Block) -> Any:
        return self.main.view(block), self.fixed.log_prob(block), self.fixed.claims(block)

    def joint(self, params: Array, log_weights: Array, rows: Any) -> Array:
        seen, log_prob, _ = rows
        K = self.main.n_components
        first = self.main.joint(params, log_weights[..., :K, :], seen)
        last = np.broadcast_to(log_weights[..., K:, :] + log_prob, (*first.shape[:-2], 1, first.shape[-1]))
        return np.concatenate([first, last], axis=-2)

    def log_prob(self, params: Array, rows: Any) -> Array:
        return self.joint(params, np.zeros((self.n_components, 1)), rows)

    def contains(self, params: Array) -> bool:
        return self.main.contains(params)

    def completed(self, params: Array, rows: Any, share: Array) -> Array:
        return self.main.completed(params, rows[0], self._own(share))

    def maximize(self, completed: Array, params: Array) -> Array:
        return self.main.maximize(completed, params)

    def expected(self, params: Array, counts: Array) -> Array:
        return self.main.expected(params, counts[..., : self.main.n_components])

    def scores(self, params: Array, rows: Any) -> Iterator[tuple[Array, Array]]:
        yield from self.main.scores(params, rows[0])
        yield np.empty(0, dtype=int), np.empty((0, len(rows[1])))

    def score(self, params: Array, rows: Any, share: Array, completed: Array) -> Array:
        return self.main.score(params, rows[0], self._own(share), completed)

    def add_information(self, params: Array, rows: Any, share: Array, into: Array) -> None:
        self.main.add_information(params, rows[0], self._own(share), into)

    def geometry(self, rows: Any, weight: Array) -> list[Embedding]:
        return self.main.geometry(rows[0], weight)

    def first_share(self, rows: Any, share: Array) -> Array:
        taken = rows[2]
        last = np.broadcast_to(share.sum(axis=-2, keepdims=True) * taken, (*share.shape[:-2], 1, share.shape[-1]))
        return np.concatenate([share * (1.0 - taken), last], axis=-2)

    def begin(self, rows: Any, share: Array) -> Array:
        return self.main.begin(rows[0], self._own(share))

    @property
    def n_ordered(self) -> int:
        return self.main.n_components

    def reordered(self, params: Array, order: Array) -> Array:
        return self.main.reordered(params, order[:-1])

    def spreads(self, params: Array) -> Array:
        return self.main.spreads(params)

    def total_spread(self, completed: Array) -> Array:
        return self.main.total_spread(completed)
