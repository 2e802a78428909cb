"""The likelihood of a generalized linear model: stateless row mathematics -> Sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from natfit.data.block import Block
from natfit.families.interval import REAL, UNIT
from natfit.families.links import Link
from natfit.families.response import Response
from natfit.likelihoods import assemble
from natfit.likelihoods.layout import Layout
from natfit.likelihoods.sums import Sums, outside
from natfit.need import FACTOR, LOGLIK, MEAT, METRIC, OBSERVED, SCORE

Array = np.ndarray[Any, np.dtype[Any]]


class Rows(NamedTuple):
    """What the rows of a block are at one value of the parameters; arrays of (n,)."""

    eta: Array
    mu: Array
    complement: Array | None
    slope: Array
    residual: Array
    variance: Array


class GLMLikelihood:
    """Exponential-dispersion responses with E[y] = mu, Var[y] = dispersion V(mu) / weight, link(mu) = X beta + offset.

    The log-likelihood it returns is the kernel: at unit dispersion and without what is free of beta. Score
    X' w (y - mu) mu' / V and expected information X' w mu'^2 / V X stand at unit dispersion too.

    Parameters
    ----------
    family : Response
        Holds its own known constants.
    link : Link
    names : sequence of str
        Names of the coefficients.
    free_dispersion : bool, optional
        Whether Pearson's statistic is summed along, from which the dispersion is estimated. By default where the family
        knows no dispersion of its own.

    Notes
    -----
    McCullagh & Nelder (1989), Generalized Linear Models, chapter 2. Outside the family's domain the log-likelihood is
    -inf and nothing else is returned that could be used.
    """

    def __init__(self, family: Response, link: Link, names: Sequence[str], free_dispersion: bool | None = None):
        self.family = family
        self.link = link
        self.layout = Layout({"mean": names})
        self.free_dispersion = family.dispersion is None if free_dispersion is None else free_dispersion
        self.canonical = link.name == family.canonical_link
        self.observed_is_expected = self.canonical or link.name in family.canonical_links_up_to_scale
        self._inside = link.mean_range in family.mean_domain
        self._needs_complement = family.mean_domain == UNIT

    def predictor(self, params: Array, block: Block) -> Array:
        """Return eta = X beta + offset, (n,)."""
        eta = block.designs["mean"].matvec(params)
        offset = block.columns.get("offset")
        return eta if offset is None else eta + offset

    def rows(self, params: Array, block: Block) -> Rows | None:
        """Return the rows at ``params``, or None where a mean lies outside the family's domain."""
        eta = self.predictor(params, block)
        mu, complement, slope = self.link.mean(eta)
        if not self._inside:
            if not self.family.mean_domain.holds_all(mu):
                return None
            if complement is None and self._needs_complement:
                complement = self.link.complement(eta, mu)
        residual = self.family.residual(block.columns["y"], mu, complement)
        # Under the canonical link dmu / deta is the variance function itself.
        variance = slope if self.canonical else self.family.variance(mu, complement)
        return Rows(eta, mu, complement, slope, residual, variance)

    def evaluate(self, params: Array, block: Block, need: int) -> Sums:
        """Return the Sums of a block that ``need`` asks for; ``loglik`` is -inf outside the domain."""
        with np.errstate(all="ignore"):
            rows = self.rows(params, block)
            if rows is None:
                return outside(self.layout.size, need, True, **({"pearson": np.nan} if self.free_dispersion else {}))
            weight = block.columns.get("weight")
            sums = Sums()
            if need & LOGLIK:
                sums["loglik"] = self._loglik(rows, block.columns["y"], weight)
            design = (block.designs["mean"],)
            first, expected = self.derivatives(rows, weight)
            if need & SCORE:
                sums["score"] = assemble.score(design, (first,))
            if need & METRIC:
                sums["metric"] = assemble.information(design, {(0, 0): expected}, need)
            if need & OBSERVED:
                observed = self.observed(rows, expected, weight)
                sums["observed"] = assemble.information(design, {(0, 0): observed}, need & ~FACTOR)
            if need & MEAT:
                sums["meat"] = self._meat(design, first, block)
            if self.free_dispersion:
                sums["pearson"] = self._pearson(rows, weight)
        return sums

    def _loglik(self, rows: Rows, y: Array, weight: Array | None) -> float:
        if self.canonical and weight is None:
            total = self.family.canonical_total(y, rows.eta, rows.mu, rows.complement)
            return total if np.isfinite(total) else -np.inf
        if self.canonical:
            kernel = self.family.canonical_kernel(y, rows.eta, rows.mu)
        else:
            kernel = self.family.kernel(y, rows.mu, rows.complement)
        total = float(kernel.sum() if weight is None else kernel @ weight)
        # +inf - inf and the like: a mean that overflowed has left the domain as well.
        return total if np.isfinite(total) else -np.inf

    def derivatives(self, rows: Rows, weight: Array | None) -> tuple[Array, Array]:
        """Return d loglik / d eta and the expected -d2 loglik / d eta2 of each row."""
        if self.canonical:
            first, expected = rows.residual, rows.variance
        else:
            ratio = rows.slope / rows.variance
            if not np.isfinite(ratio.sum()):
                # Where mean and variance have both underflowed, a row that still has a finite log-likelihood is fitted
                # perfectly: its score and information have vanished too.
                ratio = np.where(rows.variance > 0.0, ratio, 0.0)
            first, expected = rows.residual * ratio, rows.slope * ratio
        return (first, expected) if weight is None else (first * weight, expected * weight)

    def observed(self, rows: Rows, expected: Array, weight: Array | None) -> Array:
        """Return -d2 loglik / d eta2: the expected one less residual (mu''/V - mu'^2 V'/V^2)."""
        if self.observed_is_expected:
            return expected
        bend = self.link.curvature(rows.eta, rows.mu, rows.slope)
        bend = bend - rows.slope**2 * self.family.variance_derivative(rows.mu, rows.complement) / rows.variance
        bend *= rows.residual / rows.variance
        if not np.isfinite(bend.sum()):
            bend = np.where(rows.variance > 0.0, bend, 0.0)
        return expected - (bend if weight is None else bend * weight)

    def _meat(self, design: Any, first: Array, block: Block) -> Any:
        # A row of frequency f stands for f rows, each with its own score: f outer products, not f^2.
        freq = block.columns.get("freq_weights")
        if freq is None:
            return assemble.information(design, {(0, 0): first**2})
        return assemble.information(
            design, {(0, 0): np.divide(first**2, freq, out=np.zeros_like(first), where=freq > 0)}
        )

    def _pearson(self, rows: Rows, weight: Array | None) -> float:
        squared = rows.residual**2 / rows.variance
        return float(squared.sum() if weight is None else squared @ weight)

    def summaries(self, params: Array, block: Block) -> Sums:
        """Return ``deviance`` and ``pearson``, the two measures of misfit, at unit dispersion."""
        with np.errstate(all="ignore"):
            rows = self.rows(params, block)
            weight = block.columns.get("weight")
            if rows is None:
                return Sums(deviance=np.nan, pearson=np.nan)
            unit = self.family.unit_deviance(block.columns["y"], rows.mu, rows.complement)
            deviance = float(unit.sum() if weight is None else unit @ weight)
            return Sums(deviance=deviance, pearson=self._pearson(rows, weight))

    def kl(self, params0: Array, params1: Array, block: Block) -> Sums:
        """Return ``kl``, the KL divergence from the responses at ``params0`` to those at ``params1``, at unit dispersion.

        In an exponential-dispersion family it is half the deviance of one mean from the other, w d(mu0, mu1) / 2, to be
        divided by the dispersion; infinite where a mean lies outside the domain.
        """
        with np.errstate(all="ignore"):
            old, new = self.rows(params0, block), self.rows(params1, block)
            if old is None or new is None:
                return Sums(kl=np.inf)
            each = 0.5 * self.family.unit_deviance(old.mu, new.mu, new.complement)
            weight = block.columns.get("weight")
            total = float(each.sum() if weight is None else each @ weight)
            return Sums(kl=total if total >= 0.0 else np.inf)

    def log_prob(self, params: Array, block: Block, dispersion: float) -> Sums:
        """Return the normalised log-likelihood ``loglik`` at a dispersion.

        Variance weights divide the dispersion, frequency weights multiply the row, and trials give the binomial
        coefficient.
        """
        with np.errstate(all="ignore"):
            rows = self.rows(params, block)
            if rows is None:
                return Sums(loglik=-np.inf)
            known = block.columns
            options = {"trials": known.get("trials"), "complement": rows.complement} if self._needs_complement else {}
            each = self.family.response_log_prob(
                known["y"], rows.mu, dispersion=dispersion, weight=known.get("var_weights", 1.0), **options
            )
            freq = known.get("freq_weights")
            return Sums(loglik=float(each.sum() if freq is None else each @ freq))

    def start_sums(self, block: Block, mean: float, need: int = METRIC, constant: bool = False) -> Sums:
        """Return weighted least squares on the working response at the family's starting mean, as Sums.

        Parameters
        ----------
        block : Block
        mean : float
            The response's weighted mean over all rows.
        need : int
            With `natfit.need.FACTOR` the metric is held as a triangular factor.
        constant : bool
            Aim at link(mean) on every row instead.
        """
        with np.errstate(all="ignore"):  # what overflows is looked at by whoever asked
            y = block.columns["y"]
            mu = np.full(y.shape, mean) if constant else self.family.starting_mean(y, mean)
            mu = self._expressible(mu, mean)
            eta = self.link(mu)
            _, complement, slope = self.link.mean(eta)
            offset = block.columns.get("offset")
            working = eta if constant else eta + self.family.residual(y, mu, complement) / slope
            if offset is not None:
                working = working - offset
            weight = slope**2 / self.family.variance(mu, complement)
            if "weight" in block.columns:
                weight = weight * block.columns["weight"]
            design = (block.designs["mean"],)
            return Sums(
                score=assemble.score(design, (weight * working,)),
                metric=assemble.information(design, {(0, 0): weight}, need),
            )

    def _expressible(self, mu: Array, mean: float) -> Array:
        """Return starting means that the link can express: where a row's can't be, the average of all rows."""
        allowed = self.link.mean_range
        if allowed == REAL or allowed.holds_all(mu):
            return mu
        if mean not in allowed:
            mean = float(np.sqrt(np.mean(mu**2))) or 1.0  # a positive size of the response's own
        return np.where(allowed.contains(mu), mu, mean)
