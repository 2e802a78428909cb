"""Other fits of a distributional regression that share its designs: another response, other frequencies, fewer columns,
constants alone."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.block import Block
from natfit.data.matrix import Constant
from natfit.data.streams.stream import StreamSource
from natfit.likelihoods.distributional import DistributionalLikelihood
from natfit.models.arguments import make_settings
from natfit.models.distributional.constraints import resolve_constraints
from natfit.parametrizations.affine import Affine
from natfit.results.distributional.results import DistributionalResults

if TYPE_CHECKING:
    from natfit.data.arrays import Source
    from natfit.models.distributional.constraints import Constraints
    from natfit.models.distributional.data import DistributionalData

Array = np.ndarray[Any, np.dtype[Any]]


def _constants(block: Block) -> Block:
    return Block(dict.fromkeys(block.designs, Constant(block.n_rows)), block.columns)


class Refitting:
    """Mixed into a distributional regression."""

    if TYPE_CHECKING:
        data: DistributionalData
        source: Source
        wnobs: float
        n_jobs: int | None
        family: Any
        links: Any
        held: Mapping[str, float]
        likelihood: DistributionalLikelihood
        constraints: Constraints
        exog_names: list[str]

        def _run(self, settings: Any, callback: Any) -> Any: ...

    def refit(
        self,
        results: DistributionalResults,
        *,
        y: Array | None = None,
        freq_weights: Array | None = None,
        start: Array | None = None,
        n_jobs: int | None = None,
    ) -> DistributionalResults:
        """Return a fit with another response or other frequencies, the designs shared; nothing is warned of.

        Parameters
        ----------
        results : DistributionalResults
            A fit of this model: its estimates are where the new one starts.
        y, freq_weights : (n,) ndarray, optional
            As the model's own: of classes, counts of each.
        start : (q,) ndarray, optional
            Free coefficients to start from.
        n_jobs : int, optional
            Threads; as the model has them by default.
        """
        self.require_rows()
        data = replace(self.data, y=self.data.y if y is None else y)
        if freq_weights is not None:
            data = replace(data, freq_weights=freq_weights)
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.data, other.source, other.wnobs = data, data.source(n_jobs or self.n_jobs), data.count()
        known = np.where(results.fitted.kept, results.fitted.params, 0.0)
        settings = make_settings(known if start is None else start, 100, None, None, "drop", {})
        return DistributionalResults(other, other._run(settings, None), results._cov_kind)  # type: ignore[arg-type]

    def require_rows(self) -> None:
        """Refuse rows that stream by: what is changed of them would have to follow them."""
        if isinstance(self.source, StreamSource):
            raise ValueError(
                f"another response or other frequencies are for rows in memory, and those of {self.source.tables.what} are "
                "streamed; fit a table in memory for it"
            )

    def null_fit(self, results: DistributionalResults) -> DistributionalResults:
        """Return the fit in which each free parameter is a constant; offsets, weights and values held are the model's."""
        names = {name: ["Intercept"] for name in self.data.names}
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.source, other.data = self._of_constants(names)
        other.likelihood = DistributionalLikelihood(self.family, self.links, names, self.held)
        other.constraints = resolve_constraints(None, other.likelihood.layout, self.family, other.data)
        other.exog_names = list(other.constraints.tie.names)
        settings = make_settings(None, 100, None, None, "drop", {})
        return DistributionalResults(other, other._run(settings, None), results._cov_kind)  # type: ignore[arg-type]

    def _of_constants(self, names: dict[str, list[str]]) -> tuple[Source, Any]:
        """Return the rows and the data with a constant for each design."""
        data: Any = copy.copy(self.data)
        data.names, data.terms, data.formulas, data.frozen = names, {}, {}, {}
        data.designs = dict.fromkeys(names, Constant(self.data.n_rows))
        if not isinstance(self.source, StreamSource):
            return data.source(self.n_jobs), data
        data.stream = self.source.changed(_constants)
        return data.stream, data

    def fit_columns(self, results: DistributionalResults, columns: Array) -> DistributionalResults:
        """Return the fit in which only some free coefficients, by number, have estimates and the others are left out."""
        tie = self.constraints.tie
        smaller = Affine(tie.matrix[:, columns], tie.offset, names=[tie.names[j] for j in columns])
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.constraints = self.constraints._replace(tie=smaller)
        other.exog_names = list(smaller.names)
        settings = make_settings(None, 100, None, None, "drop", {})
        return DistributionalResults(other, other._run(settings, None), results._cov_kind)  # type: ignore[arg-type]
