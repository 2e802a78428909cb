"""Mixtures of regressions: what users call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from natfit.data.arrays import one_blas_thread
from natfit.likelihoods.glm import GLMLikelihood
from natfit.likelihoods.mixtures.concomitant import ConcomitantWeights
from natfit.likelihoods.mixtures.regression import MixtureRegressionLikelihood
from natfit.likelihoods.mixtures.regression_components import RegressionComponents
from natfit.models import binding
from natfit.models.checks import check_for
from natfit.models.families import resolve_family
from natfit.models.mixtures import regression_data as rows_of
from natfit.models.mixtures.constraint import Constraint
from natfit.models.mixtures.fitting import MixtureObjective
from natfit.models.mixtures.regression_fitting import Ranked, climb, rank, row_sizes
from natfit.models.mixtures.regression_refitting import RegressionRefitting
from natfit.models.mixtures.regression_setup import (
    check_comparable,
    check_dispersion,
    check_enough,
    check_known,
    each_component,
    given_start,
    independent,
    sample,
    shared_columns,
    single_dispersion,
    source_of,
)
from natfit.models.mixtures.regression_starts import draw_starts
from natfit.models.mixtures.setup import whole_number
from natfit.models.mixtures.warn import warn_of
from natfit.results.mixtures.fitted import FittedComponents
from natfit.results.mixtures.regression import MixtureRegressionResults

Array = np.ndarray[Any, np.dtype[Any]]

SAMPLE_BYTES = 1_000_000
"""Bytes of the rows that starts run on."""

FEWEST_SAMPLED = 2_000


class MixtureRegression(RegressionRefitting):
    """A finite mixture of generalized linear models, fitted by maximum likelihood.

    p(y given x, z) = sum over k of pi_k(z) f_k(y given x), component k a GLM with coefficients of its own. EM with one
    scoring step for each component climbs from many starts; the natural gradient in the observed data's metric ends it.

    Parameters
    ----------
    endog : array_like, (n,) or (n, 2)
        The response, as of `natfit.GLM`.
    exog : array_like, (n, p)
        The design of all components. No intercept is added.
    family : str, Response, or a sequence of them
        One for all components, or one for each.
    n_components : int
    concomitant : (n, q) array_like, optional
        Columns that the weights depend on, by a multinomial logit against component 0. No intercept is added.
    link : str, Link, or a sequence of them, optional
    shared : sequence of str
        Columns, or terms of the formula, with one coefficient for all components.
    dispersion : {"free", "shared"} or float
        Of families that know none of their own: one for each component, one for all, or a known one.
    groups : (n,) array_like, optional
        Labels of groups: all rows of a group belong to the same component.
    offset, exposure, freq_weights, var_weights, trials, missing, n_jobs
        As of `natfit.GLM`. Within a group a frequency repeats the row; the group counts once.
    constraint : Constraint, optional
        Which maxima count: a component needs more than as many rows as a regression has coefficients, and a dispersion
        that is not minute against that of a single regression. See `natfit.Constraint`; those left out are reported.

    Notes
    -----
    De Veaux (1989), Mixtures of linear regressions, CSDA 8; Wedel & DeSarbo (1995), J. Classification 12, for GLMs;
    Gruen & Leisch (2008), FlexMix version 2, J. Statistical Software 28(4).

    Examples
    --------
    >>> import natfit as nf
    >>> tone = nf.datasets.load("tonedata")
    >>> fit = nf.MixtureRegression.from_formula("tuned ~ stretchratio", data=tone).fit(random_state=0)
    >>> round(fit.llf, 4), fit.weights.round(4).tolist()
    (141.1984, [0.6977, 0.3023])
    """

    formula: str | None = None
    quasi_note: str | None = None

    def __init__(
        self,
        endog: Any,
        exog: Any,
        family: Any = "gaussian",
        n_components: int = 2,
        concomitant: Any = None,
        *,
        link: Any = None,
        shared: Sequence[str] = (),
        dispersion: float | str = "free",
        groups: Any = None,
        constraint: Constraint | None = None,
        missing: str = "none",
        n_jobs: int | None = None,
        **known: Any,
    ):
        check_known(known)
        data = rows_of.from_arrays(endog, exog, known, concomitant, groups, missing, n_jobs)
        self._set_up(data, family, n_components, link, shared, dispersion, constraint)

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        family: Any = "gaussian",
        n_components: int = 2,
        concomitant: str | None = None,
        *,
        link: Any = None,
        shared: Sequence[str] = (),
        dispersion: float | str = "free",
        groups: Any = None,
        constraint: Constraint | None = None,
        subset: Any = None,
        missing: str = "drop",
        n_jobs: int | None = None,
        **known: Any,
    ) -> MixtureRegression:
        """Make a model from a formula and a table.

        Parameters
        ----------
        formula : str
            ``"y ~ x"``, for all components.
        data : pandas or polars DataFrame, mapping of arrays, or tables of `natfit.data`
            Tables may be larger than memory: rows stream by in every pass, and starts run on a sample of them.
        concomitant : str, optional
            ``"~ age"``: what the weights depend on.
        shared : sequence of str
            Terms or columns, such as ``["x"]``.
        groups, offset, exposure, freq_weights, var_weights, trials : str or array_like, optional
            Columns' names or arrays; expressions too but for groups.
        family, n_components, link, dispersion, constraint, n_jobs
            As for the class.
        subset, missing
            As of `natfit.GLM.from_formula`.

        Examples
        --------
        >>> import natfit as nf
        >>> tone = nf.datasets.load("tonedata")
        >>> model = nf.MixtureRegression.from_formula("tuned ~ stretchratio", data=tone, dispersion="shared")
        >>> round(model.fit(random_state=0).llf, 4)
        107.2567
        """
        check_known(known)
        context = binding.caller_namespace(2)
        made = rows_of.from_formula(formula, data, known, concomitant, groups, missing, subset, context, n_jobs)
        model = cls.__new__(cls)
        model.formula, model.concomitant_formula = formula, concomitant
        model._set_up(made, family, n_components, link, shared, dispersion, constraint)
        return model

    concomitant_formula: str | None = None

    def _set_up(
        self,
        data: Any,
        family: Any,
        n_components: int,
        link: Any,
        shared: Sequence[str],
        dispersion: float | str,
        constraint: Constraint | None,
    ) -> None:
        self.n_components = whole_number("n_components", n_components)
        self.rows, self.data = data, data.glm
        families = each_component(family, self.n_components, "family")
        links = each_component(link, self.n_components, "link")
        resolved = [resolve_family(one, own) for one, own in zip(families, links, strict=True)]
        check_comparable([one for one, _ in resolved])
        for one, own in dict.fromkeys(resolved):
            if getattr(one, "alpha", None) == "ml":
                raise ValueError("a component's alpha must be known; give it, as in 'negative_binomial(0.5)'")
            self.quasi_note = check_for(data.glm, one, own)
        self.members = [GLMLikelihood(one, own, data.glm.names) for one, own in resolved]
        self.shared = shared_columns(shared, data.glm)
        self.dispersion = check_dispersion(dispersion)
        self.constraint = Constraint() if constraint is None else constraint
        self.source = data.source()
        self.kept, self.aliases = independent(self.members, data, self.source)
        if not self.kept.all():
            self.source = data.source(self.chosen)
            self.members = [GLMLikelihood(one, own, self.columns) for one, own in resolved]

    @property
    def chosen(self) -> Array | None:
        """Which columns have coefficients, (p,) bool; None where all have."""
        return None if self.kept.all() else self.kept

    @property
    def columns(self) -> list[str]:
        """Names of the columns that have coefficients: all but those that are combinations of others."""
        return [name for name, own in zip(self.data.names, self.kept, strict=True) if own]

    def spread(self, coefficients: Array) -> Array:
        """Return a component's coefficients with 0 for columns that are combinations of others, (p,): what predicts."""
        made = np.zeros(self.kept.size)
        made[self.kept] = coefficients
        return made

    def likelihood(self) -> MixtureRegressionLikelihood:
        """Return the likelihood, for use with `natfit.optimize`."""
        components = RegressionComponents(self.members, self.columns, self.shared[self.kept], self.dispersion)
        concomitant = self.rows.concomitant if self.n_components > 1 else None
        weights = None if concomitant is None else ConcomitantWeights(self.n_components, concomitant.names)
        return MixtureRegressionLikelihood(components, weights)

    def fit(
        self,
        *,
        n_init: int = 20,
        random_state: Any = None,
        start_params: Any = None,
        tol: float = 1e-12,
        maxiter: int = 1000,
        progress: bool = False,
    ) -> MixtureRegressionResults:
        """Fit by maximum likelihood.

        Parameters
        ----------
        n_init : int
            Starts. Each is a short run of EM on a sample of the rows; the best are carried to their maxima.
        random_state : int or Generator, optional
        start_params : (q,) array_like, optional
            The likelihood's own parameters (``fit.base.params`` of another fit) to start from, besides the ``n_init``.
        tol : float
            Stop when the decrement in the observed data's metric falls below this.
        maxiter : int
        progress : bool

        Returns
        -------
        MixtureRegressionResults

        Raises
        ------
        ValueError
            Where no start leads to a maximum inside the constraint, or there are fewer rows than parameters.
        """
        n_init, maxiter = whole_number("n_init", n_init), whole_number("maxiter", maxiter)
        likelihood = self.likelihood()
        check_enough(self.source, likelihood)
        rng = np.random.default_rng(random_state)
        most = max(SAMPLE_BYTES // (8 * (2 + len(self.data.names))), FEWEST_SAMPLED)
        block = sample(self.source, most, rng)
        spread = single_dispersion(likelihood.components, self.source, block)
        with one_blas_thread():
            starts = draw_starts(likelihood, block, n_init if self.n_components > 1 else 1, rng)
            if start_params is not None:
                starts.insert(0, given_start(start_params, likelihood))
            ranked = Ranked(likelihood, source_of(block), self.constraint, spread)
            found = rank(ranked, starts, block.n_rows)
        with binding.progress_bar(progress, self.source.n_rows) as callback:
            objective = MixtureObjective(likelihood, self.source)
            outcome = climb(objective, found.params, tol, maxiter, callback)
        sizes = row_sizes(objective, outcome.params)
        params = outcome.params
        if likelihood.components.alike:
            order = np.argsort(-sizes, kind="stable")
            params, sizes = likelihood.reordered(params, order), sizes[order]
        breach = self.constraint.breach(likelihood.components, likelihood.split(params)[1], sizes, spread)
        fitted = FittedComponents(likelihood, params, outcome, found, breach)
        results = MixtureRegressionResults(self, fitted, self.source)
        warn_of(results)
        return results

    def save_fit(self, results: MixtureRegressionResults, path: Any) -> None:
        """Write a fit to a file: see `natfit.models.storage.storing.save`."""
        from natfit.models.storage.storing import save

        save(results, path)

    def new_stream(self, tables: Any, known: Any, response: bool) -> Any:
        """Return new rows that stream by; see `natfit.models.mixtures.regression_stream.new_stream`."""
        from natfit.models.mixtures.regression_stream import new_stream

        return new_stream(self, tables, known, response)

    def new_rows(self, exog: Any = None, transform: bool = True, **known: Any) -> Any:
        """Return the rows that predictions are wanted for: the model's own, new rows of a design, or a new table."""
        return binding.new_rows(self, exog, transform, **known)  # type: ignore[arg-type]
