"""The fourteen covariance models: their names, what they share, how many parameters they have."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.families.gaussian_covariances import steps

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class CovarianceModel:
    """Covariances Sigma_k = volume_k D_k A_k D_k', det A_k = 1: each part equal, varying or the identity.

    Parameters
    ----------
    name : str
        Letters of volume, shape and orientation: E equal, V varying, I identity.

    Notes
    -----
    Banfield & Raftery (1993), Biometrics 49; Celeux & Govaert (1995), Gaussian parsimonious clustering models, Pattern
    Recognition 28, for the maxima; EVE and VVE as in Browne & McNicholas (2014), ADAC 8.

    Examples
    --------
    >>> MODELS["VVV"].n_free(3, 2), MODELS["EII"].n_free(3, 2)
    (9, 1)
    """

    name: str

    @property
    def volume(self) -> str:
        return self.name[0]

    @property
    def shape(self) -> str:
        return self.name[1]

    @property
    def orientation(self) -> str:
        return self.name[2]

    @property
    def bounded(self) -> bool:
        """Whether the mixture's likelihood is bounded: all components share one covariance."""
        return "V" not in self.name

    def n_free(self, n_components: int, dim: int) -> int:
        """Return the number of free parameters of K covariances of d by d."""
        how_many = {"E": 1, "V": n_components, "I": 0}
        shapes, turns = dim - 1, dim * (dim - 1) // 2
        return how_many[self.volume] + how_many[self.shape] * shapes + how_many[self.orientation] * turns

    def maximize(self, counts: Array, scatter: Array, previous: Array | None, inner: int = 5) -> Array:
        """Return the covariances (..., K, d, d) that maximize the complete data's likelihood.

        Parameters
        ----------
        counts : (..., K) ndarray
        scatter : (..., K, d, d) ndarray
            Sums of squares and products about the components' means.
        previous : (..., K, d, d) ndarray, optional
            Covariances to go on from, where the maximum is found by iteration: VEI, VEE, VEV, EVE, VVE.
        inner : int
            Iterations; each raises the likelihood.
        """
        return steps.STEPS[self.name](counts, scatter, previous, inner)


MODELS = {
    name: CovarianceModel(name)
    for name in (
        "EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV", "VVV",
    )
}  # fmt: skip
"""By mclust's names, in its order."""

ALIASES = {"full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII"}
"""scikit-learn's names."""

UNIVARIATE = {"E": "EII", "V": "VII"}
"""The two models of one dimension."""


def resolve(name: str, dim: int) -> CovarianceModel:
    """Return the covariance model of a name: mclust's, scikit-learn's, or E and V in one dimension.

    Raises
    ------
    ValueError
        If there is none; the message lists the names.

    Examples
    --------
    >>> resolve("tied", 3).name, resolve("V", 1).name
    ('EEE', 'VII')
    """
    given = str(name)
    if dim == 1:
        letter = {"EEE": "E", "EII": "E", "EEI": "E"}.get(ALIASES.get(given, given), given)
        letter = "V" if letter not in ("E", "V") and (given in ALIASES or given in MODELS) else letter
        if letter in UNIVARIATE:
            return MODELS[UNIVARIATE[letter]]
        known = [*UNIVARIATE, *ALIASES]
    else:
        found = MODELS.get(ALIASES.get(given, given))
        if found is not None:
            return found
        known = [*MODELS, *ALIASES]
    near = difflib.get_close_matches(given.upper(), known, n=1) or difflib.get_close_matches(given.lower(), known, n=1)
    hint = f" did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"unknown covariance {name!r};{hint} with {dim} column{'s' if dim > 1 else ''} the covariance models are "
        f"{', '.join(known)}"
    )
