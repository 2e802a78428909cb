"""Laws of mixtures of regressions: derivatives, permutations, units, frequencies, labels, a likelihood that never falls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import natfit as nf
from natfit.need import COMPLETE, LOGLIK, MEAT, OBSERVED, SCORE

CASES: dict[str, dict[str, Any]] = {
    "gaussian": {"family": "gaussian"},
    "gaussian, one dispersion, weights": {"family": "gaussian", "dispersion": "shared", "var_weights": "v"},
    "poisson, offset, concomitant": {"family": "poisson", "offset": "o", "concomitant": "~ z"},
    "poisson, three, shared, frequencies": {
        "family": "poisson",
        "n_components": 3,
        "shared": ["x"],
        "freq_weights": "f",
        "concomitant": "~ z",
    },
    "binomial, trials, groups": {
        "family": "binomial",
        "link": "probit",
        "trials": "m",
        "groups": "g",
        "freq_weights": "f",
        "concomitant": "~ u",
    },
    "gamma, log": {"family": "gamma", "link": "log", "var_weights": "v"},
    "inverse gaussian, log, groups": {"family": "inverse_gaussian", "link": "log", "groups": "g", "concomitant": "~ u"},
    "tweedie": {"family": "tweedie(1.5)", "link": "log"},
    "gamma known": {"family": "gamma", "link": "log", "dispersion": 0.5},
    "negative binomial, sqrt": {"family": "negative_binomial(0.5)", "link": "sqrt"},
    "unlike": {"family": ["gamma", "gaussian"], "link": ["log", "identity"], "n_components": 2},
}


def table(family: Any, n: int = 90) -> pd.DataFrame:
    """Return rows whose responses any of the families takes."""
    rng = np.random.default_rng(3)
    x, group = rng.normal(size=n), np.repeat(np.arange(n // 3), 3)
    m = rng.integers(3, 9, size=n).astype(float)
    label = (group % 2).astype(bool)
    mean = np.exp(np.where(label, 1.2 - 0.5 * x, 0.3 + 0.4 * x))
    if family == "binomial":
        y = rng.binomial(m.astype(int), mean / (1.0 + mean)) / m
    elif family in ("poisson", "negative_binomial(0.5)"):
        y = rng.poisson(mean).astype(float)
    else:
        y = rng.gamma(4.0, mean / 4.0)
    return pd.DataFrame(
        {
            "y": y,
            "x": x,
            "m": m,
            "g": group,
            "z": rng.normal(size=n),
            "u": rng.normal(size=n // 3)[group],
            "o": rng.uniform(-0.3, 0.3, size=n),
            "v": rng.uniform(0.5, 2.0, size=n),
            "f": rng.integers(1, 4, size=n).astype(float),
        }
    ).sample(frac=1.0, random_state=1)


def model_of(case: str) -> nf.MixtureRegression:
    return nf.MixtureRegression.from_formula("y ~ x", table(CASES[case]["family"]), **CASES[case])


def differences(function: Any, at: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Return derivatives by differences of fourth order; the coordinates stand first."""
    rows = []
    for j in range(at.size):
        move = step * np.eye(at.size)[j]
        near, far = function(at + move) - function(at - move), function(at + 2 * move) - function(at - 2 * move)
        rows.append((8.0 * near - far) / (12.0 * step))
    return np.array(rows)


@pytest.mark.parametrize("case", CASES)
def test_score_and_information_are_derivatives_of_the_log_likelihood(case: str) -> None:
    model = model_of(case)
    likelihood, source = model.likelihood(), model.source
    rng = np.random.default_rng(0)
    params = 0.3 * rng.normal(size=likelihood.layout.size) + 0.2
    if "sqrt" in case:
        params[-4:] = [1.5, 0.1, 1.0, -0.1]

    def at(params: np.ndarray, need: int) -> Any:
        return source.reduce(lambda block: likelihood.evaluate(params, block, need))

    here = at(params, LOGLIK | SCORE | OBSERVED | MEAT | COMPLETE)
    slope = differences(lambda p: at(p, LOGLIK)["loglik"], params)
    assert here["score"] == pytest.approx(slope, rel=1e-7, abs=1e-7 * np.abs(slope).max())
    bend = -differences(lambda p: at(p, LOGLIK | SCORE)["score"], params)
    observed = here["observed"].matrix
    assert observed == pytest.approx(bend, rel=1e-6, abs=1e-7 * np.abs(bend).max())
    meat = here["meat"].matrix
    assert np.linalg.eigvalsh(meat)[0] > -1e-9 * np.linalg.eigvalsh(meat)[-1]


@pytest.mark.parametrize("case", CASES)
def test_the_log_likelihood_is_that_of_the_densities(case: str) -> None:
    model = model_of(case)
    likelihood, data, frame = model.likelihood(), model.data, table(CASES[case]["family"])
    params = np.full(likelihood.layout.size, 0.3)
    own, rest = likelihood.split(params)
    parts = []
    for k, member in enumerate(model.members):
        at = likelihood.components.coefficients_at[k]
        offset = frame["o"] if "offset" in CASES[case] else 0.0
        mu = member.link.inverse(rest[at][0] + rest[at][1] * frame["x"].to_numpy() + np.asarray(offset))
        options = {"trials": data.trials} if CASES[case].get("trials") else {}
        weight = 1.0 if data.var_weights is None else data.var_weights
        phi = likelihood.components.dispersion(rest, k)
        parts.append(member.family.response_log_prob(data.y, mu, dispersion=phi, weight=weight, **options))
    each, count = np.array(parts), np.ones(len(frame)) if data.freq_weights is None else data.freq_weights
    K = len(parts)
    if "concomitant" in CASES[case]:
        z = frame[CASES[case]["concomitant"][-1]].to_numpy()
        odds = np.vstack([np.zeros(len(z)), *(0.3 + 0.3 * z for _ in range(K - 1))])
    else:
        odds = np.repeat(np.append(own, 0.0)[:, None], len(frame), axis=1)
    prior = np.exp(odds) / np.exp(odds).sum(axis=0)
    if "groups" in CASES[case]:
        total = 0.0
        for group in np.unique(frame["g"]):
            inside = (frame["g"] == group).to_numpy()
            total += np.log(prior[:, inside][:, 0] @ np.exp((each * count)[:, inside].sum(axis=1)))
    else:
        total = float(count @ np.log((prior * np.exp(each)).sum(axis=0)))
    found = model.source.reduce(lambda block: likelihood.evaluate(params, block, LOGLIK))["loglik"]
    assert found == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("case", ["gaussian", "poisson, three, shared, frequencies", "binomial, trials, groups"])
def test_the_likelihood_never_falls_and_ends_at_its_maximum(case: str) -> None:
    model = model_of(case)
    fit = model.fit(random_state=0, n_init=6)
    path = fit.record["loglik"].to_numpy()
    assert (np.diff(path) >= -1e-10 * np.abs(path[0])).all()
    assert fit.converged
    assert fit.decrement < 1e-12
    likelihood = fit.likelihood
    sums = model.source.reduce(lambda block: likelihood.evaluate(fit.base.params, block, LOGLIK | SCORE | OBSERVED))
    assert sums["score"] @ sums["observed"].solve(sums["score"]) < 1e-12


@pytest.mark.parametrize(
    "case", ["gaussian", "poisson, offset, concomitant", "binomial, trials, groups", "inverse gaussian, log, groups"]
)
def test_the_order_of_rows_does_not_matter(case: str) -> None:
    options = CASES[case]
    frame = table(options["family"])
    one = nf.MixtureRegression.from_formula("y ~ x", frame, **options).fit(random_state=0)
    mixed = frame.sample(frac=1.0, random_state=7)
    two = nf.MixtureRegression.from_formula("y ~ x", mixed, **options).fit(random_state=1)
    assert two.llf == pytest.approx(one.llf, rel=1e-11)
    assert two.params.to_numpy() == pytest.approx(one.params.to_numpy(), rel=1e-6, abs=1e-7)
    assert two.bse.to_numpy() == pytest.approx(one.bse.to_numpy(), rel=1e-6)
    pd.testing.assert_frame_equal(two.predict_proba().loc[frame.index], one.predict_proba(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("scale", [1e-4, 1e6])
def test_a_change_of_units_changes_nothing_but_units(scale: float) -> None:
    tone = nf.datasets.load("tonedata")
    one = nf.MixtureRegression.from_formula("tuned ~ stretchratio", tone).fit(random_state=0)
    changed = tone * [scale, 3.0 / scale]
    two = nf.MixtureRegression.from_formula("tuned ~ stretchratio", changed).fit(random_state=0)
    assert two.llf == pytest.approx(one.llf - len(tone) * np.log(3.0 / scale), rel=1e-9)
    assert two.params["stretchratio[0]"] == pytest.approx(one.params["stretchratio[0]"] * 3.0 / scale**2, rel=1e-7)
    assert two.bse["sigma[1]"] == pytest.approx(one.bse["sigma[1]"] * 3.0 / scale, rel=1e-7)
    assert two.n_best == one.n_best


@pytest.mark.parametrize("case", ["gaussian", "poisson, offset, concomitant", "binomial, trials, groups"])
def test_frequencies_are_repeated_rows(case: str) -> None:
    options = {name: value for name, value in CASES[case].items() if name != "freq_weights"}
    frame = table(options["family"])
    one = nf.MixtureRegression.from_formula("y ~ x", frame, freq_weights="f", **options).fit(random_state=0)
    repeated = frame.loc[frame.index.repeat(frame["f"].astype(int))].reset_index(drop=True)
    two = nf.MixtureRegression.from_formula("y ~ x", repeated, **options).fit(random_state=0)
    assert two.llf == pytest.approx(one.llf, rel=1e-11)
    assert (two.nobs, two.df) == (one.nobs, one.df)
    assert two.params.to_numpy() == pytest.approx(one.params.to_numpy(), rel=1e-6, abs=1e-7)
    assert two.with_covariance("robust").bse.to_numpy() == pytest.approx(
        one.with_covariance("robust").bse.to_numpy(), rel=1e-6
    )
    assert two.entropy == pytest.approx(one.entropy, rel=1e-6)


@pytest.mark.parametrize("case", ["poisson, offset, concomitant", "gamma, log"])
def test_components_may_change_places(case: str) -> None:
    fit = model_of(case).fit(random_state=0)
    likelihood, params = fit.likelihood, fit.base.params
    swapped = likelihood.reordered(params, np.array([1, 0]))
    assert likelihood.reordered(swapped, np.array([1, 0])) == pytest.approx(params)
    need = LOGLIK | SCORE | OBSERVED
    one, two = (fit.source.reduce(lambda b, p=p: likelihood.evaluate(p, b, need)) for p in (params, swapped))  # type: ignore[misc]
    assert two["loglik"] == pytest.approx(one["loglik"], rel=1e-13)
    assert two["observed"].logdet() == pytest.approx(one["observed"].logdet(), rel=1e-8)


def test_one_component_is_the_regression() -> None:
    frame = table("poisson")
    mixture = nf.MixtureRegression.from_formula("y ~ x", frame, family="poisson", n_components=1, offset="o").fit()
    single = nf.GLM.from_formula("y ~ x", frame, family="poisson", offset="o").fit()
    assert mixture.llf == pytest.approx(single.llf, rel=1e-12)
    assert mixture.params.to_numpy()[1:] == pytest.approx(single.params.to_numpy(), rel=1e-8)
    assert mixture.bse.to_numpy()[1:] == pytest.approx(single.bse.to_numpy(), rel=1e-8)


def test_blocks_never_split_a_group_and_change_nothing() -> None:
    from natfit.data.grouped import GroupedSource

    model = model_of("binomial, trials, groups")
    likelihood = model.likelihood()
    params = np.full(likelihood.layout.size, 0.2)
    whole: Any = model.source
    cut = GroupedSource(whole.whole, n_jobs=2, block_rows=7)
    inside = [set(block.columns["group"].tolist()) for block in cut.blocks()]
    assert len(inside) > 5
    assert sum(map(len, inside)) == len(set.union(*inside))
    need = LOGLIK | SCORE | OBSERVED | MEAT
    one, two = (source.reduce(lambda b: likelihood.evaluate(params, b, need)) for source in (whole, cut))
    assert two["loglik"] == pytest.approx(one["loglik"], rel=1e-12)
    assert two["score"] == pytest.approx(one["score"], rel=1e-9, abs=1e-9)
    assert two["observed"].matrix == pytest.approx(one["observed"].matrix, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("family", ["poisson", "binomial"])
def test_components_are_recovered_from_simulated_rows(family: str) -> None:
    rng = np.random.default_rng(5)
    n = 3000
    x, z = rng.normal(size=n), rng.normal(size=n)
    truth = np.array([[1.5, 0.5], [0.0, -0.7]]) if family == "poisson" else np.array([[1.0, 1.0], [-1.5, -0.5]])
    label = (rng.random(n) < 1.0 / (1.0 + np.exp(0.6 - 0.8 * z))).astype(int)
    eta = truth[label, 0] + truth[label, 1] * x
    y = rng.poisson(np.exp(eta)) if family == "poisson" else rng.binomial(12, 1.0 / (1.0 + np.exp(-eta))) / 12
    options: dict[str, Any] = {} if family == "poisson" else {"trials": np.full(n, 12.0)}
    frame = pd.DataFrame({"y": y, "x": x, "z": z})
    model = nf.MixtureRegression.from_formula("y ~ x", frame, family=family, concomitant="~ z", **options)
    fit = model.fit(random_state=0, n_init=10)
    expected = np.array([-0.6, 0.8, *truth.ravel()])
    away = (fit.params.to_numpy() - expected) / fit.bse.to_numpy()
    assert np.abs(away).max() < 3.5
    assert (fit.classify().to_numpy() == label).mean() > 0.85


@pytest.mark.parametrize("case", ["gaussian", "gaussian, one dispersion, weights", "gamma, log", "unlike"])
def test_what_is_shown_has_its_derivatives(case: str) -> None:
    from natfit.results.mixtures.regression_covariance import jacobian as jacobian_of
    from natfit.results.mixtures.regression_covariance import shown

    fit = model_of(case).fit(random_state=0, n_init=4)
    names, jacobian = shown(fit, fit.base.params)[1], jacobian_of(fit, fit.base.params)
    expected = differences(lambda params: shown(fit, params)[0], fit.base.params).T
    assert jacobian == pytest.approx(expected, rel=1e-8, abs=1e-8)
    assert len(names) == len(set(names)) == len(jacobian)
