"""Finite mixtures: what users call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from natfit.likelihoods.mixtures.missing import PartlySeenGaussians
from natfit.likelihoods.mixtures.mixture import MixtureLikelihood
from natfit.models.binding import progress_bar
from natfit.models.mixtures.building import components_for
from natfit.models.mixtures.constraint import Constraint
from natfit.models.mixtures.coordinates import free_coordinates
from natfit.models.mixtures.data import MixtureData, bind, complete_rows, counted_in_rows
from natfit.models.mixtures.fitting import MixtureObjective, climb, in_order, in_own_weights
from natfit.models.mixtures.labelled import coded
from natfit.models.mixtures.new_rows import bind_new, check_new
from natfit.models.mixtures.refitting import MixtureRefitting
from natfit.models.mixtures.search import search
from natfit.models.mixtures.setup import (
    check_distinct,
    check_options,
    is_gaussian,
    pooled,
    resized,
    whole_number,
)
from natfit.models.mixtures.starts import sample_rows
from natfit.models.mixtures.warn import warn_of
from natfit.results.mixtures.fitted import FittedMixture
from natfit.results.mixtures.mixture import MixtureResults

Array = np.ndarray[Any, np.dtype[Any]]

SAMPLE_BYTES = 3_000_000
"""Bytes of the sufficient statistics of the rows that starts run on."""

SAMPLED_IN_ALL, FEWEST_SAMPLED = 400_000, 2_000
"""Rows of all starts together, and at least of each."""


class Mixture(MixtureRefitting):
    """A finite mixture of one exponential family, fitted by maximum likelihood.

    p(y) = sum over k of pi_k f(y; theta_k). EM, which is the natural gradient in the complete data's metric, climbs from
    many starts; the natural gradient in the observed data's metric ends it, so that the estimates are good to the last
    digits and standard errors are those of the observed information.

    Parameters
    ----------
    family : str, class, Family or mapping
        ``"gaussian"`` (of one column or several), or any exponential family. A family of one column is taken for each of
        several, independent given the component (latent classes with ``"bernoulli"`` and ``"categorical"``, whose columns
        may be text or categories: labels then stand in what is shown). A mapping of
        columns, or of tuples of columns, to families makes components of unlike columns.
    n_components : int
    covariance : str
        For Gaussian components one of mclust's fourteen models, EII to VVV; E and V for one column; or scikit-learn's
        ``"full"`` (VVV), ``"tied"`` (EEE), ``"diag"`` (VVI), ``"spherical"`` (VII).
    fixed : mapping of str to float, optional
        Parameters of the components that are held, by their names in one of the family's parametrizations.
    shared : sequence of str, optional
        Parameters that are the same in all components.
    noise : bool
        Add a component that is uniform over the box which the rows span.
    zero_inflated : bool
        Add a component that has all its rows at 0.
    constraint : Constraint, optional
        Which maxima count; see `Constraint`. Those it leaves out are reported.

    Notes
    -----
    McLachlan & Peel (2000), Finite Mixture Models.

    Examples
    --------
    >>> import natfit as nf
    >>> deaths = nf.datasets.load("london_times")
    >>> fit = nf.Mixture("poisson", n_components=2).fit(deaths["deaths"], freq_weights=deaths["freq"], random_state=0)
    >>> round(fit.llf, 4), fit.weights.round(4).tolist()
    (-1989.9459, [0.6401, 0.3599])
    """

    def __init__(
        self,
        family: Any = "gaussian",
        n_components: int = 2,
        covariance: str = "full",
        fixed: Mapping[str, float] | None = None,
        shared: Sequence[str] = (),
        noise: bool = False,
        zero_inflated: bool = False,
        constraint: Constraint | None = None,
    ):
        self.family = family
        self.n_components = whole_number("n_components", n_components)
        self.covariance = covariance
        self.fixed = dict(fixed or {})
        self.shared = [shared] if isinstance(shared, str) else list(shared)
        self.noise = noise
        self.zero_inflated = zero_inflated
        check_options(family, covariance, self.tied, noise, zero_inflated)
        self.constraint = Constraint() if constraint is None else constraint

    @property
    def tied(self) -> bool:
        """Whether parameters of the components are held or shared."""
        return bool(self.fixed or self.shared)

    @property
    def apart(self) -> bool:
        """Whether Gaussian columns are taken each by itself: parameters are tied, or a point mass stands beside."""
        return self.tied or self.zero_inflated

    @property
    def jointly(self) -> bool:
        """Whether components are of all columns together: Gaussian ones."""
        return is_gaussian(self.family) and not self.apart

    def fit(
        self,
        y: Any,
        freq_weights: Any = None,
        var_weights: Any = None,
        *,
        data: Any = None,
        n_init: int = 20,
        random_state: Any = None,
        tol: float = 1e-12,
        maxiter: int = 1000,
        missing: str = "none",
        cov_type: str = "observed",
        progress: bool = False,
        n_jobs: int | None = None,
    ) -> MixtureResults:
        """Fit by maximum likelihood.

        Parameters
        ----------
        y : (n,) or (n, d) array_like, frame, name or names of columns of ``data``, source, or tables that stream by
        freq_weights : (n,) array_like or str, optional
            How many identical rows a row stands for.
        var_weights : (n,) array_like or str, optional
            What each row's log-likelihood is multiplied by; they don't count as observations.
        data : frame, mapping, or tables that stream by (`natfit.data.from_parquet` ...), optional
        n_init : int
            Starts. Each is a short run of EM on a sample of the rows; the best are carried to their maxima.
        random_state : int or Generator, optional
        tol : float
            Stop when the decrement in the observed data's metric falls below this.
        maxiter : int
        missing : {"none", "drop", "raise", "observed"}
            What to do about rows with missing values: refuse them, leave them out, or ("observed", Gaussian components
            only) fit the likelihood of what is seen of them, which is right where values are missing at random.
        cov_type : {"observed", "empirical", "robust"}
            Standard errors from minus the Hessian, from the outer products of scores, or from the sandwich of both.
        progress : bool
        n_jobs : int, optional

        Returns
        -------
        MixtureResults

        Raises
        ------
        ValueError
            Where rows are outside the components' support, a column is constant, there are fewer distinct rows than
            components, an argument is unknown, or no start leads to a maximum inside the constraint.
        """
        n_init, maxiter = whole_number("n_init", n_init), whole_number("maxiter", maxiter)
        partly = missing == "observed"
        if partly:
            self._refuse_partly_seen()
        y, data, levels = coded(y, data, self.family)
        given = bind(y, freq_weights, var_weights, data, "none" if partly else missing, n_jobs, keep_missing=partly)
        all_rows = replace(self._bound(given), levels=levels)
        rows = complete_rows(all_rows) if partly else all_rows
        components: Any = components_for(self, rows)
        likelihood = MixtureLikelihood(components)
        rows = replace(rows, source=resized(rows, components))
        spread = np.empty(0) if components.bounded else components.total_spread(pooled(components, rows.source))
        rng = np.random.default_rng(random_state)
        most = min(SAMPLE_BYTES // (8 * (1 + components.width)), SAMPLED_IN_ALL // n_init)
        most = max(most, FEWEST_SAMPLED)
        block = sample_rows(rows.source, rows.n_rows, most, rng)
        check_distinct(block, self.n_components)
        coordinates = free_coordinates(likelihood)
        scale = rows.observations_per_weight
        block = counted_in_rows(block, scale)
        found = search(likelihood, block, n_init, rng, self.constraint, spread, coordinates).divided(scale)
        if partly:
            likelihood, rows = MixtureLikelihood(PartlySeenGaussians(components)), all_rows
            coordinates = free_coordinates(likelihood)
        with progress_bar(progress) as callback:
            objective = MixtureObjective(likelihood, rows.source, scale)
            outcome = in_own_weights(climb(objective, found.params, coordinates, tol, maxiter, callback), scale)
        params = in_order(likelihood, outcome.params)
        breach = self._breach(likelihood, params, rows, spread)
        fitted = FittedMixture(likelihood, params, outcome, found, breach, rows, coordinates)
        made = MixtureResults(self, fitted, cov_type)
        warn_of(made)
        return made

    def with_components(self, n_components: int) -> Mixture:
        """Return the same model with another number of components."""
        options = (self.covariance, self.fixed, self.shared, self.noise, self.zero_inflated, self.constraint)
        return Mixture(self.family, n_components, *options)

    def save_fit(self, results: MixtureResults, path: Any) -> None:
        """Write a fit to a file: see `natfit.models.storage.storing.save`."""
        from natfit.models.storage.storing import save

        save(results, path)

    def _bound(self, data: MixtureData) -> MixtureData:
        """Return the rows in the shape that the family takes."""
        y = data.y
        if y is None:
            return data
        if self.jointly and y.ndim == 1:
            y = y[:, None]
        elif y.ndim == 2 and y.shape[1] == 1 and not self.jointly:
            y = y[:, 0]
        if y is not data.y:
            data.source.whole.columns["y"] = y  # type: ignore[attr-defined]
            data = replace(data, y=y)
        return data

    def _refuse_partly_seen(self) -> None:
        if self.apart or self.noise or isinstance(self.family, Mapping) or not is_gaussian(self.family):
            raise ValueError(
                "missing='observed' needs Gaussian components with no fixed or shared parameters, no noise and no zero "
                "inflation; drop rows with missing='drop', or fill them in"
            )

    def new_rows(self, y: Any, fit: MixtureResults) -> MixtureData:
        """Return new rows for a fit, checked."""
        columns, components = fit.columns, fit.components
        levels = fit.base.data.levels
        if levels:
            y, _, _ = coded(y, None, dict.fromkeys(levels, "categorical"), levels)
        data = self._bound(bind_new(y, columns, isinstance(components, PartlySeenGaussians)))
        check_new(components, data)
        return data

    def _breach(self, likelihood: MixtureLikelihood, params: Array, data: MixtureData, spread: Array) -> str | None:
        own, rest = likelihood.split(params)
        sizes = data.nobs * likelihood.weights.probabilities(own)
        return self.constraint.breach(likelihood.components, rest, sizes, spread)
