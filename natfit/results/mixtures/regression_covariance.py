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


def shown(fit: MixtureRegressionResults, params: Array) -> tuple[Array, Array, list[str]]:
    """Return what is shown of parameters, (m,), its Jacobian (m, q) in them, and the names."""
    weights = fit.likelihood.weights
    own, rest = fit.likelihood.split(params)
    values, rows, names = [], [], []
    if isinstance(weights, ConcomitantWeights):
        values += own.tolist()
        rows += list(np.eye(own.size, params.size))
        names += list(weights.names)
    else:
        values += weights.probabilities(own).tolist()
        names += [f"weight[{k}]" for k in range(fit.n_components)]
        rows += list(np.pad(weights.jacobian(own), ((0, 0), (0, rest.size))))
    for k in range(fit.n_components):
        each = member_values(fit.components, rest, k)
        name = dispersion_name(fit.components, k)
        places = dict(zip(fit.components.columns, fit.components.coefficients_at[k].tolist(), strict=True))
        slopes = dict.fromkeys(places, 1.0)
        if name:
            places[name] = fit.components.dispersion_at[k]
            slopes[name] = each[name] * (0.5 if name == "sigma" else 1.0)
        for label in [*fit.model.data.names, *([name] if name else [])]:
            row = np.full(params.size, 0.0 if label in each else np.nan)  # a combination of other columns has none
            if label in each:
                row[own.size + places[label]] = slopes[label]
            values.append(each.get(label, np.nan))
            rows.append(row)
            names.append(f"{label}[{k}]")
    return np.array(values), np.array(rows), names
