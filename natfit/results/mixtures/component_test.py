"""How many components: the likelihood-ratio test of k against k + 1, by the parametric bootstrap."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.results.mixtures.bootstrap import check_drawable, drawn, watched

if TYPE_CHECKING:
    from natfit.results.mixtures.inference import MixtureInference
    from natfit.results.mixtures.mixture import MixtureResults

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class ComponentsTest:
    """The likelihood-ratio test of k against k + 1 components.

    Parameters
    ----------
    statistic : float
        Twice the gain in log-likelihood.
    pvalue : float
        Share of replicates, the observed one among them, with a statistic as large.
    replicates : ndarray
        Statistics of rows drawn from the mixture of k, where both mixtures have a maximum on them.
    n_components : int
        k.
    larger : MixtureResults
        The fit of k + 1.
    """

    statistic: float
    pvalue: float
    replicates: Array
    n_components: int
    larger: Any

    def __str__(self) -> str:
        k = self.n_components
        return (
            f"Likelihood-ratio test of {k} against {k + 1} components, parametric bootstrap of {len(self.replicates)}: "
            f"statistic {self.statistic:.4g}, p-value {self.pvalue:.3g}"
        )


def test_components(
    fit: MixtureInference, n_boot: int, n_init: int, random_state: Any, progress: bool
) -> ComponentsTest:
    """Return the test; see `natfit.MixtureResults.test_components`."""
    from natfit.results.warnings import ConvergenceWarning, DegeneracyWarning, LocalMaximumWarning

    with warnings.catch_warnings():
        for category in (LocalMaximumWarning, DegeneracyWarning, ConvergenceWarning):
            warnings.simplefilter("ignore", category)
        larger, drawn_fits = fit._enlarged(n_init, np.random.default_rng(random_state))
        statistic = 2.0 * (larger.llf - fit.llf)
        made = []
        for _ in watched(range(int(n_boot)), progress):
            small, large = drawn_fits()
            if small is not None and large is not None:
                made.append(2.0 * max(large.llf - small.llf, 0.0))
    replicates = np.array(made)
    pvalue = (1.0 + (replicates >= statistic).sum()) / (1.0 + len(replicates))
    return ComponentsTest(statistic, float(pvalue), replicates, fit.components.n_ordered, larger)


test_components.__test__ = False  # type: ignore[attr-defined]


def enlarged(
    fit: MixtureResults, n_init: int, rng: np.random.Generator
) -> tuple[MixtureResults, Callable[[], tuple[Any, Any]]]:
    """Return the fit of a mixture with one component more, and what fits rows drawn from this one by both."""
    data = fit.base.data
    if data.y is None:
        raise ValueError("the bootstrap test needs the rows in memory, and this fit has them from a source; fit arrays")
    check_drawable(fit)
    options = {"n_init": n_init, "random_state": rng}
    model = fit.model.with_components(fit.components.n_ordered + 1)
    larger = model.refit(fit.base, data.y, freq_weights=data.freq_weights, **options)

    def drawn_fits() -> tuple[Any, Any]:
        y = drawn(fit, rng).columns["y"]
        small = fit.model.attempt(fit.base, y, **{**options, "n_init": max(n_init // 2, 1)})
        return small, larger.model.attempt(fit.base, y, **options)

    return larger, drawn_fits
