"""The bootstrap: the fit made again on data drawn anew, many times, each time from where it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from natfit.data.threads import n_threads, one_blas_thread, processors
from natfit.results.bootstrap.acceleration import of_coefficients, of_jackknife
from natfit.results.bootstrap.resampling import Draw, generator, glm_responses, make_draw, read_units, seeds
from natfit.results.bootstrap.results import BootstrapResults

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]
Statistic = Callable[[Any], Any]

FEW_DELETIONS = 200
"""Most refits that the acceleration of a statistic of the user's own takes, each without a 200th of the rows."""


class Replicate(NamedTuple):
    """A statistic of one replicate, NaN throughout where its fit is no maximum, and why."""

    values: Array
    trouble: str


def run_bootstrap(
    fit: GLMResults,
    n: int,
    kind: str,
    groups: Any,
    random_state: Any,
    n_jobs: int | None,
    progress: bool,
    statistic: Statistic | None,
) -> BootstrapResults:
    """Return the bootstrap of a fit; see `Bootstrap.bootstrap`."""
    if n != int(n) or n < 2:
        raise ValueError(f"n must be a whole number of replicates, 2 or more, got {n!r}")
    if not fit.converged:
        raise ValueError(f"a bootstrap needs a fit that reached its maximum, and this one did not: {fit.reason}")
    refit = fit._refit_changed()
    units = read_units(fit, kind, groups)
    draw, sequence = make_draw(fit, kind, units), seeds(random_state)
    own = statistic or (_coefficients if fit.shape is None else _coefficients_and_alpha)
    estimate, names = _labelled(own(fit))
    if statistic is None:
        names = [*fit._coefficients, "alpha"][: len(estimate)]

    def replicate(number: int) -> Replicate:
        return _evaluate(fit, refit, own, draw(generator(sequence, number)), len(names))

    done = list(
        _on_threads(replicate, int(n), n_threads(n_jobs) or n_threads(fit.model.n_jobs) or processors(), progress)
    )

    evaluate = partial(_values, fit, refit, own, len(names))
    acceleration = partial(of_coefficients, fit, kind, units)
    if own is not _coefficients or not fit._deletes_in_one_step:
        acceleration = partial(of_jackknife, evaluate, fit, units, FEW_DELETIONS)
    return BootstrapResults(
        fit,
        kind,
        estimate,
        names,
        np.array([one.values for one in done]),
        [one.trouble for one in done],
        acceleration,
        sequence.entropy,
    )


def _coefficients(fit: Any) -> Array:
    return fit.fitted.params


def _coefficients_and_alpha(fit: Any) -> Array:
    return np.append(fit.fitted.params, fit.shape.alpha)


def _labelled(value: Any) -> tuple[Array, list[Any]]:
    """Return a statistic as a vector, and a name for each entry."""
    if isinstance(value, dict):
        return np.array(list(value.values()), dtype=float), list(value)
    vector = np.atleast_1d(np.asarray(value, dtype=float))
    if vector.ndim != 1:
        raise ValueError(f"a statistic must return a number, a vector, a Series or a dict; it has shape {vector.shape}")
    if hasattr(value, "index") and hasattr(value, "to_numpy"):
        return vector, list(value.index)
    return vector, ["statistic"] if np.ndim(value) == 0 else [f"statistic{j}" for j in range(vector.size)]


def _evaluate(
    fit: GLMResults, refit: Callable[..., Any], statistic: Statistic, changed: dict[str, Array], size: int
) -> Replicate:
    found = refit(**changed)
    nothing = np.full(size, np.nan)
    if found.fitted.separation is not None:
        return Replicate(nothing, "separated")
    if (found.fitted.kept != fit.fitted.kept).any():
        return Replicate(nothing, "aliased")
    if not found.converged:
        return Replicate(nothing, "not converged")
    values = _labelled(statistic(found))[0]
    if values.size != size:
        raise ValueError(
            f"a statistic must have as many entries for each replicate: it has {size} and then {values.size}"
        )
    return Replicate(values, "")


def _values(
    fit: GLMResults, refit: Callable[..., Any], statistic: Statistic, size: int, changed: dict[str, Array]
) -> Array:
    return _evaluate(fit, refit, statistic, changed, size).values


def _on_threads(replicate: Callable[[int], Replicate], n: int, threads: int, progress: bool) -> Iterator[Replicate]:
    """Yield the replicates in their order, worked out on threads, with a bar on request."""
    from tqdm.auto import tqdm

    with one_blas_thread(), ThreadPoolExecutor(threads, "natfit-bootstrap") as pool:
        results = map(replicate, range(n)) if threads == 1 else pool.map(replicate, range(n))
        try:
            yield from tqdm(results, desc="bootstrap", total=n, unit=" fits", disable=not progress)
        finally:
            pool.shutdown(cancel_futures=True)


class Bootstrap:
    """Mixed into a GLM's fit, and in `natfit.results.distributional.resampling` into a distributional one."""

    shape: Any = None
    """What is estimated beside the coefficients, and has replicates as they have."""
    _deletes_in_one_step = True
    """Whether the acceleration of coefficients is that of one-step deletions, and not of refits without some rows."""

    def _refit_changed(self) -> Callable[..., Any]:
        """Return what fits again with other frequencies or another response."""
        fit: Any = self
        return partial(fit.model.refit, fit, nearby=True, n_jobs=1)

    def _drawn_responses(self) -> Draw:
        """Return what draws a response for each row from the fitted law."""
        return glm_responses(self)  # type: ignore[arg-type]

    def bootstrap(
        self,
        n: int = 1000,
        kind: str = "case",
        groups: Any = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        progress: bool = False,
        statistic: Statistic | None = None,
    ) -> BootstrapResults:
        """Fit again to data drawn anew, and return how the estimates vary.

        Parameters
        ----------
        n : int
            Replicates.
        kind : {"case", "parametric", "cluster"}
            "case" draws rows with replacement (observations, where rows have frequencies; a row of trials as a whole).
            "cluster" draws whole groups of rows. "parametric" keeps the design and draws responses from the fitted law.
        groups : (n,) array_like or str, optional
            The cluster of each row, or the name of a column of the formula's table.
        random_state : int, SeedSequence or Generator, optional
            Every replicate has a generator of its own, spawned from this: the numbers depend neither on ``n_jobs`` nor on
            the order in which replicates are worked out, and the first 100 of 1,000 are the 100 of 100.
        n_jobs : int, optional
            Threads; as the model has them by default.
        progress : bool
            Show a bar.
        statistic : callable, optional
            From a fit to what is wanted of it: a number, a vector, a Series or a dict. By default the coefficients, and
            alpha where it is estimated.

        Returns
        -------
        BootstrapResults
            Estimates of each replicate, standard errors, intervals, ``summary()``, ``plot()``.

        Raises
        ------
        ValueError
            In one sentence: a fit that did not converge, weights that can't be drawn by, clusters that are missing or one
            alone, a quasi-likelihood to draw responses from, a distributional fit of rows that stream by.

        Notes
        -----
        A replicate is the same model with other frequencies or another response: no row is copied, and the optimizer starts
        at the estimates. Replicates without a maximum (separated, a column without variation, not converged) are NaN, left
        out of every number, counted in ``summary()`` and warned of. Rows that a replicate has not drawn still confine means
        to the family's domain where the link does not.

        Efron and Tibshirani (1993), An Introduction to the Bootstrap; Davison and Hinkley (1997), section 7.2.

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> fit = nf.GLM.from_formula("sat ~ width", crabs, family="poisson").fit()
        >>> boot = fit.bootstrap(200, random_state=1)
        >>> bool(boot.bse["width"] > 1.3 * fit.bse["width"])  # overdispersed: the model's own are too small
        True
        """
        fit: Any = self
        return run_bootstrap(fit, n, kind, groups, random_state, n_jobs, progress, statistic)
