"""What there is to be said of a distributional fit: nested comparisons, orthogonality, other parametrizations, limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.families.distributional.base import Parameters
from natfit.families.distributional.reused import PREFERRED, Reused

if TYPE_CHECKING:
    from natfit.results.distributional.at_rows import AtRows
    from natfit.results.distributional.results import DistributionalResults

Array = np.ndarray[Any, np.dtype[Any]]

NONE = 1e-8
"""Correlation of two parameters' scores under which they count as orthogonal: what rounding leaves."""
ROWS = 500
"""Rows at whose fitted parameters other parametrizations are tried."""


@dataclass(frozen=True)
class Orthogonality:
    """How far the estimates of a family's parameters disturb each other.

    Attributes
    ----------
    table : DataFrame
        Between two parameters the largest canonical correlation of their coefficients' scores: 0 where neither's
        estimates depend on the other's, in large samples.
    parametrizations : dict of str to float
        The same, at the fitted parameters, between single parameters of other parametrizations of the family.
    """

    table: Any
    parametrizations: dict[str, float]

    @property
    def orthogonal(self) -> list[str]:
        """Parametrizations whose parameters are orthogonal."""
        return [name for name, value in self.parametrizations.items() if value < NONE]

    def __str__(self) -> str:
        text = "Largest canonical correlation between the scores of two parameters' coefficients:\n"
        text += f"{self.table.round(4)}\n"
        if not self.parametrizations:
            return text + "The family has no other parametrization."
        if self.orthogonal:
            return text + f"Orthogonal parameters: those of the parametrization {' or '.join(self.orthogonal)}."
        best = min(self.parametrizations, key=lambda name: self.parametrizations[name])
        return (
            text + f"No parametrization known is orthogonal; {best} comes closest ({self.parametrizations[best]:.3f})."
        )

    __repr__ = __str__


class Diagnosis:
    """Mixed into a distributional fit."""

    if TYPE_CHECKING:
        model: Any
        family: Any
        fitted: Any

        @property
        def llf(self) -> float: ...
        @property
        def df_model(self) -> float: ...
        @property
        def coefficients(self) -> Array: ...
        def _parameters(self, rows: Any) -> Parameters: ...
        def _at(self, value: Callable[[Parameters], Any]) -> AtRows: ...

    def orthogonality(self) -> Orthogonality:
        """Say which parameters' estimates don't disturb each other, and of which parametrization that is true.

        Notes
        -----
        From the expected information. Cox & Reid (1987), JRSS B 49, 1-39.

        Examples
        --------
        >>> import natfit as nf
        >>> data = nf.datasets.load("gasoline")
        >>> model = nf.DistributionalRegression.from_formula("temp ~ 1", data, "gamma", parametrization="shape_rate")
        >>> print(model.fit().orthogonality())
        Largest canonical correlation between the scores of two parameters' coefficients:
                shape    rate
        shape  1.0000  0.9885
        rate   0.9885  1.0000
        Orthogonal parameters: those of the parametrization mean_shape or mean_dispersion.
        """
        import pandas as pd

        from natfit.need import LOGLIK, METRIC

        likelihood = self.model.likelihood
        whole = self.model.source.reduce(lambda block: likelihood.evaluate(self.coefficients, block, LOGLIK | METRIC))
        matrix, parts = whole["metric"].matrix_form(), likelihood.layout.slices
        table = pd.DataFrame(
            [[_canonical(matrix, parts[first], parts[second]) for second in parts] for first in parts],
            index=list(parts),
            columns=list(parts),
        )
        return Orthogonality(table, self._other_parametrizations())

    def _other_parametrizations(self) -> dict[str, float]:
        if not isinstance(self.family, Reused) or self.model.held:
            return {}
        theta = self._parameters(self.model.new_rows())
        step = max(len(theta[0]) // ROWS, 1)
        home = self.family.chart.to_home(np.column_stack([t[::step] for t in theta]))
        found = {}
        family = self.family.family
        for name, chart in family.parametrizations.items():
            if chart.size != family.size:
                continue
            xi = chart.from_home(home)
            fisher = chart.pull_fisher(xi, family.home_fisher(home))
            scale = np.sqrt(np.einsum("nii->ni", fisher))
            correlation = np.abs(fisher / scale[:, :, None] / scale[:, None, :] - np.eye(family.size))
            found[name] = float(correlation.max())
        return found

    def lr_test(self, restricted: DistributionalResults) -> tuple[float, float, float]:
        """Return the likelihood-ratio statistic against a nested fit, its p-value and degrees of freedom.

        Parameters
        ----------
        restricted : DistributionalResults
            Of the same response and rows, with fewer free coefficients, nested in this fit.

        Raises
        ------
        ValueError
            If the fits are not of the same responses, this one has no more coefficients, a fit did not converge, or the
            restricted model is no special case of this one: another family, parametrization or link, or predictors that
            this one's columns do not span.

        Notes
        -----
        A fit of the simpler family that is left where a parameter of this one tends to a limit (the Poisson of a negative
        binomial, the Gaussian of a Student's t) counts as nested where that parameter is a constant. The statistic is then
        as often a chi-square with one degree of freedom less, and the p-value is that of the mixture: Self & Liang (1987),
        JASA 82, 605-610, case 6.

        Examples
        --------
        >>> import natfit as nf
        >>> data = nf.datasets.load("quine")
        >>> both = [nf.DistributionalRegression.from_formula(f, data, "nb2").fit() for f in ("Days ~ Age", "Days ~ 1")]
        >>> statistic, p, df = both[0].lr_test(both[1])
        >>> round(statistic, 2), df
        (10.45, 3.0)
        """
        from natfit.results.distributional.nested import likelihood_ratio

        return likelihood_ratio(self, restricted)  # type: ignore[arg-type]

    def limit_reached(self) -> str:
        """Return in words which parameter has no estimate inside the domain, and what to fit instead; or ""."""
        from natfit.results.distributional.limits import limit_reached

        return limit_reached(self)  # type: ignore[arg-type]

    def model_notes(self) -> list[str]:
        """Return in words where the model is another one than the family's usual parametrization gives."""
        if not isinstance(self.family, Reused):
            return []
        usual = PREFERRED.get(self.family.family.name, self.family.family.home)
        if self.family.parametrization == usual:
            return []
        if self._saturated():
            return [
                f"Parametrization {self.family.parametrization}: predictors are saturated alike, so likelihood and fitted "
                f"distributions are those of {usual}."
            ]
        return [
            f"Parametrization {self.family.parametrization}: predictors are linear in other parameters than those of "
            f"{usual}, which makes it a different model."
        ]

    def _saturated(self) -> bool:
        """Say whether every parameter's design tells the same groups of rows apart, and no more."""
        names = list(self.model.data.designs)
        if self.model.data.offsets or len(names) < self.family.K:
            return False
        rows: Array | None = None
        for block in self.model.source.blocks():
            own = np.unique(np.hstack([block.designs[name].dense() for name in names]), axis=0)
            rows = own if rows is None else np.unique(np.vstack([rows, own]), axis=0)
            if len(rows) > rows.shape[1]:
                return False
        assert rows is not None
        ends = np.cumsum([self.model.data.designs[name].shape[1] for name in names])[:-1]
        return all(
            len(np.unique(part, axis=0)) == len(rows) == np.linalg.matrix_rank(part)
            for part in np.split(rows, ends, axis=1)
        )


def _canonical(matrix: Array, first: slice, second: slice) -> float:
    """Return the largest canonical correlation between two parts of a score with covariance ``matrix``."""
    if first == second:
        return 1.0
    left = np.linalg.cholesky(matrix[first, first])
    right = np.linalg.cholesky(matrix[second, second])
    inner = np.linalg.solve(left, matrix[first, second])
    turned = np.linalg.solve(right, inner.T)
    return float(np.linalg.svd(turned, compute_uv=False)[0])
