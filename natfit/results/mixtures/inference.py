"""What a fitted mixture says of its uncertainty: standard errors, missing information, bootstraps, degeneracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from natfit.results.mixtures.estimates import MixtureEstimates

if TYPE_CHECKING:
    from natfit.results.mixtures.mixture import MixtureResults

Array = np.ndarray[Any, np.dtype[Any]]


class MixtureInference(MixtureEstimates):
    """Uncertainty of a fitted mixture; a part of `natfit.MixtureResults`."""

    shown_as: tuple[str | None, str]

    @property
    def _fit(self) -> MixtureResults:
        return cast("MixtureResults", self)

    def _show(self, params: Array) -> tuple[Array, list[str]]:
        from natfit.results.mixtures.covariance import shown

        return shown(self._fit, params)

    def _jacobian(self) -> Array:
        from natfit.results.mixtures.covariance import jacobian

        return jacobian(self._fit, self.base.params)

    def _like(self, cov_type: str, shown_as: tuple[str | None, str]) -> MixtureResults:
        """Return the same fit with standard errors of another kind, or shown in other coordinates."""
        return type(self._fit)(self.model, self.base, cov_type, shown_as)

    def to(self, parametrization: str | None = None, weights: str = "probability") -> MixtureResults:
        """Return the same fit in other coordinates: estimates mapped, their covariance by the exact Jacobians.

        Parameters
        ----------
        parametrization : str, optional
            Of the components: one of the family's parametrizations; its home parameters where left out. Of components
            of unlike families those change that have it.
        weights : {"probability", "log_odds"}
            Log-odds are against the last component.
        """
        if weights not in ("probability", "log_odds"):
            raise ValueError(f"weights must be 'probability' or 'log_odds'; got {weights!r}")
        if parametrization is not None:
            from natfit.results.mixtures.covariance import coordinates_of

            if not any(
                coordinates_of(part, parametrization) for part in self._fit._parts
            ):  # the family's own refusal lists what there is
                self._fit._parts[0].components.family.parametrization(parametrization)
        return self._like(self.cov_type, (parametrization, weights))

    def with_covariance(self, cov_type: str) -> MixtureResults:
        """Return the same fit with standard errors of another kind: "observed", "empirical" or "robust"."""
        return self._like(cov_type, self.shown_as)

    def bootstrap(
        self, n_boot: int = 200, kind: str = "nonparametric", random_state: Any = None, progress: bool = False
    ) -> Any:
        """Fit bootstrapped rows from this fit's estimates, components matched to its own by the rows that they share.

        Parameters
        ----------
        n_boot : int
        kind : {"nonparametric", "parametric"}
            Rows drawn again, or drawn from the fitted mixture.
        random_state : int or Generator, optional
        progress : bool

        Returns
        -------
        MixtureBootstrap
            ``estimates``, ``bse``, ``conf_int()``.
        """
        from natfit.results.mixtures.bootstrap import bootstrap

        return bootstrap(self._fit, n_boot, kind, random_state, progress)

    def test_components(
        self, n_boot: int = 99, n_init: int = 10, random_state: Any = None, progress: bool = False
    ) -> Any:
        """Test this number of components against one more, by the parametric bootstrap of the likelihood ratio.

        The ratio has no chi-squared limit here, as the smaller mixture lies on the edge of the larger one.

        Parameters
        ----------
        n_boot : int
        n_init : int
            Starts of each fit with one component more.
        random_state : int or Generator, optional
        progress : bool

        Returns
        -------
        ComponentsTest
            ``statistic``, ``pvalue``, ``replicates``, and the fit ``larger``.

        Notes
        -----
        McLachlan (1987), On bootstrapping the likelihood ratio test statistic for the number of components, Applied
        Statistics 36.
        """
        from natfit.results.mixtures.component_test import test_components

        return test_components(self._fit, n_boot, n_init, random_state, progress)

    def _degenerate(self) -> list[str]:
        from natfit.results.mixtures.degeneracy import degeneracies

        return degeneracies(self._fit)
