"""The likelihood of a regression for every parameter of a distribution: stateless row mathematics -> Sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.families.distributional.base import DistributionalFamily, Matrix, Parameters
from natfit.families.link_base import Link
from natfit.likelihoods import assemble
from natfit.likelihoods.layout import Layout
from natfit.likelihoods.sums import Sums, outside
from natfit.metric import Gram
from natfit.need import LOGLIK, MEAT, METRIC, OBSERVED, SCORE

Array = np.ndarray[Any, np.dtype[Any]]

SPARING = 16
"""Rows in which each one's information is summed for steps, where that is no closed form and the data are large: one in so
many. Steps need no exact metric; standard errors take every row."""


class DistributionalLikelihood:
    """Independent responses whose distribution has K parameters, link_k(theta_k) = X_k beta_k + offset_k.

    The log-likelihood is the full, normalised one. A block holds one design for each free parameter under the parameter's
    name, the response ``y``, and maybe ``freq_weights`` and ``offset:<parameter>``.

    Parameters
    ----------
    family : DistributionalFamily
    links : sequence of K Link
    names : mapping of str to sequence of str
        The coefficients of each free parameter's predictor, by parameter, in the family's order.
    held : mapping of str to float, optional
        Parameters that are held at a number.
    thin : int
        Sum the expected information of one row in so many, and scale it up.

    Notes
    -----
    The score of row i in beta_k is u_k theta_k' x_k, u the family's score; the expected information between beta_k and
    beta_l is the family's F_kl theta_k' theta_l' x_k x_l'. Rigby & Stasinopoulos (2005), Applied Statistics 54, 507-554;
    Yee (2015), Vector Generalized Linear and Additive Models, chapter 3.

    Examples
    --------
    >>> from natfit.data.matrix import Constant
    >>> from natfit.families import distributional, links
    >>> from natfit.need import ALL
    >>> both = [links.get("identity"), links.get("log")]
    >>> likelihood = DistributionalLikelihood(distributional.get("gaussian"), both, {"mean": ["a"], "sd": ["b"]})
    >>> block = Block({"mean": Constant(2), "sd": Constant(2)}, {"y": np.array([1.0, 3.0])})
    >>> likelihood.evaluate(np.array([2.0, 0.0]), block, ALL)["metric"].matrix
    array([[2., 0.],
           [0., 4.]])
    """

    observed_is_expected = False

    def __init__(
        self,
        family: DistributionalFamily,
        links: Sequence[Link],
        names: Mapping[str, Sequence[str]],
        held: Mapping[str, float] | None = None,
        thin: int = 1,
    ):
        self.family, self.links, self.names = family, list(links), dict(names)
        self.held = dict(held or {})
        self.thin = thin
        self.layout = Layout({part: [f"{part}:{name}" for name in own] for part, own in names.items()})
        self.free = [k for k, name in enumerate(family.parameter_names) if name not in self.held]

    def thinned(self, thin: int) -> DistributionalLikelihood:
        """Return the same likelihood with the expected information of one row in so many."""
        return DistributionalLikelihood(self.family, self.links, self.names, self.held, thin)

    @property
    def metric_cost(self) -> float:
        """How many passes for the score the information of every row costs: a quadrature takes scores at many responses."""
        return 50.0 if self.family.costly else 1.0

    def predictors(self, params: Array, block: Block) -> list[Array]:
        """Return the linear predictor of each free parameter, offsets added."""
        found = []
        for k in self.free:
            name = self.family.parameter_names[k]
            eta = block.designs[name].matvec(params[self.layout.slices[name]])
            offset = block.columns.get(f"offset:{name}")
            found.append(eta if offset is None else eta + offset)
        return found

    def parameters(self, etas: Sequence[Array]) -> tuple[Parameters, list[Array]]:
        """Return the K parameters of each row, and the slopes d theta / d eta of the free ones."""
        values: list[Any] = [None] * self.family.K
        complements: list[Any] = [None] * self.family.K
        slopes = []
        for k, eta in zip(self.free, etas, strict=True):
            values[k], complements[k], slope = _mean(self.links[k], eta)
            slopes.append(slope)
        for name, value in self.held.items():
            values[self.family.parameter_names.index(name)] = np.full(etas[0].shape, value)
        return Parameters(values, complements), slopes

    def evaluate(self, params: Array, block: Block, need: int) -> Sums:
        """Return the Sums of a block that ``need`` asks for; ``loglik`` is -inf outside the domain."""
        with np.errstate(all="ignore"):
            etas = self.predictors(params, block)
            theta, slopes = self.parameters(etas)
            if not self.family.contains(theta).all():
                return outside(self.layout.size, need)
            y, freq = block.columns["y"], block.columns.get("freq_weights")
            sums = Sums()
            if need & LOGLIK:
                each = self.family.log_prob(y, theta)
                sums["loglik"] = float(each.sum() if freq is None else freq @ each)
                if not np.isfinite(sums["loglik"]):
                    return outside(self.layout.size, need)
            designs = [block.designs[self.family.parameter_names[k]] for k in self.free]
            if need & (SCORE | OBSERVED | MEAT):
                own = self.family.score(y, theta)
                rows = [own[k] * slope for k, slope in zip(self.free, slopes, strict=True)]
                if need & SCORE:
                    sums["score"] = assemble.score(designs, rows if freq is None else [row * freq for row in rows])
                if need & MEAT:
                    outer = {(i, j): a * rows[j] for i, a in enumerate(rows) for j in range(i, len(rows))}
                    sums["meat"] = assemble.information(designs, _times(outer, freq))
                if need & OBSERVED:
                    minus = self._observed(y, theta, etas, slopes, own)
                    sums["observed"] = assemble.information(designs, _times(minus, freq))
            if need & METRIC:
                sums["metric"] = self._metric(y, theta, slopes, designs, freq)
        return sums

    def score_rows(self, params: Array, block: Block) -> Array:
        """Return the score of each row in all coefficients, (n, p); a row of frequency f has f times that of one."""
        with np.errstate(all="ignore"):
            theta, slopes = self.parameters(self.predictors(params, block))
            own, freq = self.family.score(block.columns["y"], theta), block.columns.get("freq_weights")
            parts = []
            for k, slope in zip(self.free, slopes, strict=True):
                row = own[k] * slope if freq is None else own[k] * slope * freq
                parts.append(block.designs[self.family.parameter_names[k]].weighted_rows(row))
        return np.hstack(parts)

    def _metric(self, y: Array, theta: Parameters, slopes: list[Array], designs: list[Any], freq: Array | None) -> Gram:
        if self.thin == 1 or len(y) < 64 * self.thin:
            weights = self._in_predictors(self.family.fisher(y, theta), slopes)
            return assemble.information(designs, _times(weights, freq))  # type: ignore[return-value]
        rows = slice(0, None, self.thin)
        few = Parameters([t[rows] for t in theta], [None if c is None else c[rows] for c in theta.complements])
        weights = self._in_predictors(self.family.fisher(y[rows], few), [s[rows] for s in slopes])
        spread = {}
        for pair, weight in weights.items():
            spread[pair] = np.zeros(len(y))
            spread[pair][rows] = weight * self.thin
        return assemble.information(designs, _times(spread, freq))  # type: ignore[return-value]

    def _in_predictors(self, matrix: Matrix, slopes: list[Array]) -> Matrix:
        """Carry a row-wise matrix from parameters to predictors, the free ones alone."""
        place = {k: i for i, k in enumerate(self.free)}
        return {
            (place[k], place[l]): value * slopes[place[k]] * slopes[place[l]]
            for (k, l), value in matrix.items()
            if k in place and l in place
        }

    def _observed(
        self, y: Array, theta: Parameters, etas: list[Array], slopes: list[Array], score: Sequence[Array]
    ) -> Matrix:
        """Return minus the second derivatives in the predictors: the family's, less the links' own bend."""
        minus = self._in_predictors(self.family.observed(y, theta), slopes)
        for i, k in enumerate(self.free):
            bend = score[k] * self.links[k].curvature(etas[i], theta[k], slopes[i])
            minus[i, i] = minus[i, i] - bend if (i, i) in minus else -bend
        return minus

    def of_rows(self, params: Array, block: Block, function: Callable[[Array, Parameters], Any]) -> Any:
        """Return ``function(y, theta)`` of a block's rows at the parameters."""
        with np.errstate(all="ignore"):
            return function(block.columns["y"], self.parameters(self.predictors(params, block))[0])


def _mean(link: Link, eta: Array) -> tuple[Array, Array | None, Array]:
    """Return the link's mean, its complement and slope; of a constant predictor computed once for all rows."""
    if eta.strides != (0,) or not eta.size:
        return link.mean(eta)
    mean, complement, slope = link.mean(eta[:1])
    rest = None if complement is None else np.broadcast_to(complement, eta.shape)
    return np.broadcast_to(mean, eta.shape), rest, np.broadcast_to(slope, eta.shape)


def _times(matrix: Matrix, freq: Array | None) -> Matrix:
    return matrix if freq is None else {pair: value * freq for pair, value in matrix.items()}
