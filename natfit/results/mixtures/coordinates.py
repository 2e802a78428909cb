"""The coordinates in which a fitted mixture is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from natfit.results.mixtures.mixture import MixtureResults

Array = np.ndarray[Any, np.dtype[Any]]


class Coordinates:
    """A part of `natfit.MixtureResults`."""

    base: Any
    model: Any
    cov_type: str
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

    def _like(self, cov_type: str, shown_as: tuple[str | None, str] | None = None) -> MixtureResults:
        """Return the same fit with standard errors of another kind, or shown in other coordinates."""
        return type(self._fit)(self.model, self.base, cov_type, shown_as or self.shown_as)

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
