"""Rows of a mixture of regressions: predictions, classification, draws, and what is degenerate."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.block import Block
from natfit.data.checks import check_finite, check_lengths
from natfit.data.groups import labels_of, read_grouping
from natfit.data.matrix import Chosen, as_columns
from natfit.data.numbers import as_column
from natfit.likelihoods.mixtures.concomitant import ConcomitantWeights
from natfit.results.mixtures.degeneracy import MERGED, NO_ROWS
from natfit.results.mixtures.regression_blocks import classified, joined, of_each_row, passing, predicted

if TYPE_CHECKING:
    from natfit.results.mixtures.regression import MixtureRegressionResults

Array = np.ndarray[Any, np.dtype[Any]]

AT_LIMIT = 1e-3
"""Distance of a mean from a limit of its domain under which it has as good as reached it."""


def _labels(index: Any, n_rows: int) -> Any:
    import pandas as pd

    return pd.RangeIndex(n_rows) if index is None else index


def _means(fit: MixtureRegressionResults, rows: Any) -> Array:
    """Return the components' means of rows, (K, m)."""
    rest = fit.likelihood.split(fit.base.params)[1]
    made = []
    with np.errstate(all="ignore"):
        for k, member in enumerate(fit.components.members):
            eta = rows.matvec(fit.model.spread(rest[fit.components.coefficients_at[k]]))
            made.append(member.link.mean(eta)[0])
    return np.array(made)


def _weights(fit: MixtureRegressionResults, exog: Any, known: dict[str, Any], n_rows: int) -> Array:
    """Return the weights of rows before their responses are seen, (K, m)."""
    weights, own = fit.likelihood.weights, fit.likelihood.split(fit.base.params)[0]
    if not isinstance(weights, ConcomitantWeights):
        return np.repeat(weights.probabilities(own)[:, None], n_rows, axis=1)
    return np.exp(weights.log_weights(own, _covariates(fit, exog, known.get("concomitant"), n_rows)))


def _covariates(fit: MixtureRegressionResults, exog: Any, given: Any, n_rows: int) -> Array:
    """Return what the weights of rows depend on, (m, q); NaN where a row lacks it."""
    concomitant = fit.model.rows.concomitant
    assert concomitant is not None
    if given is not None:
        z = np.asarray(given, dtype=float).reshape(len(given), -1)
    elif exog is None:
        return concomitant.design.dense()
    elif concomitant.frozen is None:
        raise ValueError("the weights depend on covariates; give concomitant= of the new rows")
    else:
        made = concomitant.frozen.matrix(exog)
        found = as_columns(made.matrix).dense()
        if made.kept is None:
            return found
        z = np.full((len(made.kept), found.shape[1]), np.nan)
        z[made.kept] = found
    if z.shape != (n_rows, len(concomitant.names)):
        raise ValueError(
            f"concomitant needs {n_rows} rows of {len(concomitant.names)} columns ({', '.join(concomitant.names)}); it has "
            f"shape {z.shape}"
        )
    return z


def _new_rows(fit: MixtureRegressionResults, exog: Any, known: dict[str, Any]) -> tuple[Any, int]:
    linear = {name: known[name] for name in ("offset", "exposure") if name in known}
    rows = fit.model.new_rows(exog, transform=fit.model.formula is not None, **linear)
    return rows, rows.design.shape[0] if rows.kept is None else len(rows.kept)


def means_and_weights(
    fit: MixtureRegressionResults, exog: Any, known: dict[str, Any], kind: str = "both"
) -> tuple[Array, Array, Any]:
    """Return the components' means and weights of rows, (K, m) each, and the rows' labels; ``kind`` spares the other."""
    stream = passing(fit, exog, known, response=False)
    if stream is not None:
        means, prior = joined(stream.map(partial(predicted, fit.likelihood, fit.base.params)))
        return means, prior, _labels(None, means.shape[1])
    rows, n_rows = _new_rows(fit, exog, known)
    nothing = np.empty((fit.n_components, 0))
    means = nothing if kind == "weights" else _means(fit, rows)
    prior = nothing if kind == "components" else _weights(fit, exog, known, n_rows)
    return means, prior, _labels(rows.index, n_rows)


def predict(fit: MixtureRegressionResults, exog: Any, which: str, known: dict[str, Any]) -> Any:
    """Return means or weights; see `MixtureRegressionResults.predict`."""
    import pandas as pd

    if which not in ("mean", "components", "weights"):
        raise ValueError(f"which must be 'mean', 'components' or 'weights'; got {which!r}")
    _check_known(known, ("offset", "exposure", "concomitant"))
    means, prior, index = means_and_weights(fit, exog, known, which)
    if which == "mean":
        return pd.Series((prior * means).sum(axis=0), index=index, name="mean")
    return pd.DataFrame((means if which == "components" else prior).T, index=index, columns=range(fit.n_components))


def _check_known(known: dict[str, Any], allowed: tuple[str, ...]) -> None:
    for name in known:
        if name not in allowed:
            raise TypeError(f"unexpected argument {name!r}; of rows there may be {', '.join(allowed)}")


def of_rows(
    fit: MixtureRegressionResults, exog: Any, endog: Any, known: dict[str, Any]
) -> tuple[tuple[Array, Array], Any]:
    """Return log-densities (n,) and responsibilities (K, n) of rows, in their own order, and their labels."""
    each = partial(classified, fit.likelihood, fit.base.params)
    stream = passing(fit, exog, known, response=True)
    if stream is not None:
        loglik, share = joined(stream.map(each))
        return (loglik, share), _labels(None, loglik.size)
    if exog is None:
        order, index = fit.model.rows.order, fit.model.data.index
        loglik, share = joined(fit.source.map(each))
    else:
        block, order, index = _new_block(fit, exog, endog, known)
        loglik, share = each(block)
    if order is not None:
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        loglik, share = loglik[back], share[:, back]
    return (loglik, share), _labels(index, loglik.size)


def _new_block(
    fit: MixtureRegressionResults, exog: Any, endog: Any, known: dict[str, Any]
) -> tuple[Block, Array | None, Any]:
    """Return new rows with their responses as a block, the order they stand in there, and their labels."""
    _check_known(known, ("offset", "exposure", "var_weights", "trials", "groups", "concomitant"))
    rows, n_rows = _new_rows(fit, exog, known)
    if rows.kept is not None:
        raise ValueError(f"{int((~rows.kept).sum())} of the new rows lack a value; leave them out")
    data = fit.model.data
    columns = {"y": _response(fit, exog, endog), "offset": rows.offset}
    check_finite(columns["y"], data.y_name)
    for family in dict.fromkeys(member.family for member in fit.components.members):
        family.check_response(columns["y"], data.y_name)
    for name in ("var_weights", "trials"):
        from_table = data.expressions.get(name)
        given = known.get(name)
        if given is None and from_table is not None:
            given = data.frozen.evaluate(from_table, exog)
        if given is None and getattr(data, name) is not None:
            raise ValueError(f"the model's rows have {name}, on which the answer depends; give {name}= of the new rows")
        columns[name] = None if given is None else as_column(name, given, rows.index)
    groups = known.get("groups")
    if groups is not None:
        table = exog if fit.model.formula is not None else None
        columns["group"] = read_grouping(labels_of(groups, "groups", table), "groups", n_rows, None, rows.index).codes
    present = {name: column for name, column in columns.items() if column is not None}
    check_lengths({"exog": n_rows, **{name: len(column) for name, column in present.items()}})
    designs = {"mean": rows.design if fit.model.kept.all() else Chosen(rows.design, np.flatnonzero(fit.model.kept))}
    if fit.model.rows.concomitant is not None:
        designs["weights"] = as_columns(_covariates(fit, exog, known.get("concomitant"), n_rows))
    block = Block(designs, present)
    if groups is None:
        return block, None, rows.index
    order = np.argsort(present["group"], kind="stable")
    return block.take(order), order, rows.index


def _response(fit: MixtureRegressionResults, exog: Any, endog: Any) -> Array:
    """Return the response of new rows."""
    data = fit.model.data
    if endog is not None:
        return np.asarray(endog, dtype=float)
    if data.frozen is None:
        raise ValueError("the component of a row depends on its response; give endog= of the new rows")
    if data.levels is not None:
        from natfit.data.table import Table

        return (np.asarray(Table(exog).column(data.y_name)) == data.levels[1]).astype(float)
    return data.frozen.evaluate(data.y_name, exog)


def sample(fit: MixtureRegressionResults, exog: Any, random_state: Any, known: dict[str, Any]) -> tuple[Any, Any]:
    """Draw labels and responses; see `MixtureRegressionResults.sample`."""
    import pandas as pd

    _check_known(known, ("offset", "exposure", "var_weights", "trials", "concomitant"))
    rng = np.random.default_rng(random_state)
    means, prior, index = means_and_weights(fit, exog, known)
    n_rows = means.shape[1]
    draws = rng.random(n_rows)
    if exog is None and fit.model.rows.groups is not None:
        draws = draws[fit.model.rows.groups]  # one label for a group
    labels = np.minimum((np.cumsum(prior, axis=0) < draws).sum(axis=0), fit.n_components - 1)
    made = np.empty(n_rows)
    rest = fit.likelihood.split(fit.base.params)[1]
    own = {
        name: known.get(name, getattr(fit.model.data, name) if exog is None else None)
        for name in ("var_weights", "trials")
    }
    for k, member in enumerate(fit.components.members):
        at = labels == k
        options = {"weight": 1.0 if own["var_weights"] is None else np.broadcast_to(own["var_weights"], n_rows)[at]}
        if own["trials"] is not None:
            options["trials"] = np.broadcast_to(own["trials"], n_rows)[at]
        phi = fit.components.dispersion(rest, k)
        made[at] = member.family.sample_response(means[k, at], rng, dispersion=phi, **options)
    return pd.Series(made, index=index, name=fit.model.data.y_name), pd.Series(labels, index=index, name="component")


def degeneracies(fit: MixtureRegressionResults) -> list[str]:
    """Return what is degenerate about a fitted mixture of regressions, in words."""
    total = fit.model.rows.n_units
    gone = fit._weights * total < NO_ROWS
    said = [
        f"the weight of component {k} has gone to zero; use one component fewer" for k in np.flatnonzero(gone).tolist()
    ]
    if fit.n_components == 1:
        return said
    apart, away = _distances(fit)
    for k in np.flatnonzero((away < AT_LIMIT) & ~gone).tolist():
        said.append(f"the rows of component {k} are separated: its coefficients run off to infinity")
    for j in range(fit.n_components):
        for k in range(j + 1, fit.n_components):
            if not gone[[j, k]].any() and apart[j, k] < MERGED:
                said.append(f"components {j} and {k} have merged; use one component fewer")
    return said


def _distances(fit: MixtureRegressionResults) -> tuple[Array, Array]:
    """Return how far components are from each other, (K, K), and their rows' means from limits of the domain, (K,).

    The first is the average of the unit deviance over the smaller dispersion, and the squared log ratio of dispersions;
    the second the greatest distance of a mean among a component's rows. Infinite where they can't be compared.
    """
    components, params = fit.components, fit.base.params
    rest, K = fit.likelihood.split(params)[1], fit.n_components
    phi = np.array([components.dispersion(rest, k) for k in range(K)])
    apart, away, n_rows = np.zeros((K, K)), np.zeros(K), 0
    with np.errstate(all="ignore"):
        for block in fit.source.blocks():
            rows = components.view(block)
            mine = of_each_row(block, fit.likelihood.shares(params, block, rows).responsibility) > 0.5
            found = [
                rows.predicted(k, member, rest[components.coefficients_at[k]])
                for k, member in enumerate(components.members)
            ]
            n_rows += block.n_rows
            for k, member in enumerate(components.members):
                limits = np.array(member.family.attainable_limits)
                if limits.size:
                    nearest = np.abs(found[k].mu[mine[k], None] - limits).min(axis=1)
                    away[k] = max(away[k], nearest.max(initial=0.0))
                for j in range(k if components.alike else 0):
                    apart[j, k] += member.family.unit_deviance(found[j].mu, found[k].mu, found[k].complement).sum()
    limited = [bool(member.family.attainable_limits) for member in components.members]
    if not components.alike:
        return np.full((K, K), np.inf), np.where(limited, away, np.inf)
    scale = np.minimum(phi[:, None], phi) * n_rows
    return apart / scale + np.log(phi[:, None] / phi) ** 2, np.where(limited, away, np.inf)
