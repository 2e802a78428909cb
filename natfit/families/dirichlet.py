"""The Dirichlet distribution."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from natfit.families.dirichlet_form import DirichletForm
from natfit.families.registry import register
from natfit.families.support import Support, simplex
from natfit.parametrizations import Log, Parametrization
from natfit.parametrizations.base import Array


@register
class Dirichlet(DirichletForm):
    """Proportions y_1 .. y_d with density prod y_i^(alpha_i - 1) / B(alpha), in the first d-1 of them.

    T = log y, eta = alpha - 1.

    Parameters
    ----------
    dim : int
        Number d of proportions, at least 2.

    Examples
    --------
    >>> Dirichlet(dim=3).log_prob([0.2, 0.3, 0.5], [1.0, 1.0, 1.0]).round(4)
    np.float64(0.6931)
    """

    name = "dirichlet"
    home = "concentration"

    def __init__(self, dim: int) -> None:
        if dim != int(dim) or dim < 2:
            raise ValueError(f"dirichlet needs two or more proportions, but got dim={dim}.")
        self.dim = int(dim)
        self.parameter_names = tuple(f"concentration[{i}]" for i in range(self.dim))
        self.statistic_names = tuple(f"log y[{i}]" for i in range(self.dim))

    @property
    def support(self) -> Support:  # type: ignore[override]
        return simplex(self.dim)

    def sufficient_statistics(self, y: Array) -> Array:
        return np.log(y)

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        draws = rng.standard_gamma(theta, (*shape, self.dim))
        return draws / draws.sum(axis=-1, keepdims=True)

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"log_concentration": Log([f"log_{name}" for name in self.parameter_names])}

    @classmethod
    def examples(cls) -> tuple[Dirichlet, ...]:
        return (cls(dim=3),)

    def example_parameters(self) -> Array:
        ramp = np.linspace(0.8, 3.0, self.dim)
        return np.stack([np.ones(self.dim), ramp, 5.0 * ramp[::-1]])

    def __repr__(self) -> str:
        return f"Dirichlet(dim={self.dim})"
