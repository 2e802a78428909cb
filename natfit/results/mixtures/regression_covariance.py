"""What a mixture of regressions shows of its parameters, and how that depends on the likelihood's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.likelihoods.mixtures.concomitant import ConcomitantWeights

if TYPE_CHECKING:
    from natfit.results.mixtures.regression import MixtureRegressionResults

Array = np.ndarray[Any, np.dtype[Any]]


def dispersion_name(components: Any, k: int) -> str | None:
    """Return what a component's free dispersion is shown as: its root for Gaussian ones; None where it has none."""
    if components.dispersion_at[k] < 0:
        return None
    return "sigma" if components.members[k].family.name == "gaussian" else "dispersion"


def member_values(components: Any, rest: Array, k: int) -> dict[str, float]:
    """Return coefficients and dispersion of a component by name."""
    made = dict(zip(components.columns, rest[components.coefficients_at[k]].tolist(), strict=True))
    name = dispersion_name(components, k)
    if name is not None:
        phi = components.dispersion(rest, k)
        made[name] = float(np.sqrt(phi)) if name == "sigma" else phi
    return made


def shown(fit: MixtureRegressionResults, params: Array) -> tuple[Array, list[str]]:
    """Return what is shown of parameters, (m,), and the names."""
    weights = fit.likelihood.weights
    own, rest = fit.likelihood.split(params)
    if isinstance(weights, ConcomitantWeights):
        values, names = own.tolist(), list(weights.names)
    else:
        values = weights.probabilities(own).tolist()
        names = [f"weight[{k}]" for k in range(fit.n_components)]
    for k in range(fit.n_components):
        each = member_values(fit.components, rest, k)
        for label in _labels(fit, k):
            values.append(each.get(label, np.nan))  # a combination of other columns has none
            names.append(f"{label}[{k}]")
    return np.array(values), names


def jacobian(fit: MixtureRegressionResults, params: Array) -> Array:
    """Return the derivatives of what `shown` gives in the parameters, (m, q)."""
    weights = fit.likelihood.weights
    own, rest = fit.likelihood.split(params)
    if isinstance(weights, ConcomitantWeights):
        rows = list(np.eye(own.size, params.size))
    else:
        rows = list(np.pad(weights.jacobian(own), ((0, 0), (0, rest.size))))
    for k in range(fit.n_components):
        each = member_values(fit.components, rest, k)
        name = dispersion_name(fit.components, k)
        places = dict(zip(fit.components.columns, fit.components.coefficients_at[k].tolist(), strict=True))
        slopes = dict.fromkeys(places, 1.0)
        if name:
            places[name] = fit.components.dispersion_at[k]
            slopes[name] = each[name] * (0.5 if name == "sigma" else 1.0)
        for label in _labels(fit, k):
            row = np.full(params.size, 0.0 if label in each else np.nan)
            if label in each:
                row[own.size + places[label]] = slopes[label]
            rows.append(row)
    return np.array(rows)


def _labels(fit: MixtureRegressionResults, k: int) -> list[str]:
    name = dispersion_name(fit.components, k)
    return [*fit.model.data.names, *([name] if name else [])]
