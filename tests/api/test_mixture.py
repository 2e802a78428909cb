"""What users meet of mixtures: fits, classification, criteria, inference, selection, figures, and refusals."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
import pytest

import natfit as nf
from natfit.cli import main

matplotlib.use("agg")


@pytest.fixture(scope="module")
def faithful() -> pd.DataFrame:
    return nf.datasets.load("faithful")


@pytest.fixture(scope="module")
def geyser(faithful: pd.DataFrame) -> nf.MixtureResults:
    return nf.Mixture("gaussian", 2).fit(faithful, random_state=0, n_init=8)


@pytest.fixture(scope="module")
def deaths() -> nf.MixtureResults:
    data = nf.datasets.load("london_times")
    return nf.Mixture("poisson", 2).fit("deaths", freq_weights="freq", data=data, random_state=0)


def test_rows_are_labelled_as_they_came(geyser: nf.MixtureResults, faithful: pd.DataFrame) -> None:
    new = faithful.iloc[[3, 1, 2]]
    proba = geyser.predict_proba(new)
    assert list(proba.index) == [3, 1, 2]
    assert proba.sum(axis=1).to_numpy() == pytest.approx(np.ones(3))
    assert geyser.predict(new).tolist() == proba.to_numpy().argmax(axis=1).tolist()
    assert geyser.score_samples().sum() == pytest.approx(geyser.llf)
    turned = new[["waiting", "eruptions"]]
    assert geyser.predict_proba(turned).to_numpy() == pytest.approx(proba.to_numpy())


def test_criteria_and_entropy(geyser: nf.MixtureResults) -> None:
    share = geyser.predict_proba().to_numpy()
    entropy = -(share * np.log(np.maximum(share, 1e-300))).sum()
    assert geyser.entropy == pytest.approx(entropy, rel=1e-9)
    assert geyser.icl == pytest.approx(geyser.bic + 2 * entropy, rel=1e-9)


def test_frequencies_are_repeated_rows(deaths: nf.MixtureResults) -> None:
    data = nf.datasets.load("london_times")
    rows = np.repeat(data["deaths"].to_numpy(), data["freq"])
    fit = nf.Mixture("poisson", 2).fit(rows, random_state=0)
    assert fit.llf == pytest.approx(deaths.llf, rel=1e-10)
    assert fit.params.to_numpy() == pytest.approx(deaths.params.to_numpy(), rel=1e-6)
    assert fit.bse.to_numpy() == pytest.approx(deaths.bse.to_numpy(), rel=1e-6)
    assert fit.nobs == deaths.nobs


def test_standard_errors_follow_the_parametrization(deaths: nf.MixtureResults) -> None:
    logs = deaths.to("log_rate", weights="log_odds")
    rate = deaths.params["rate[0]"]
    assert logs.params["log_rate[0]"] == pytest.approx(np.log(rate))
    assert logs.bse["log_rate[0]"] == pytest.approx(deaths.bse["rate[0]"] / rate)
    assert "log_odds" in logs.summary().as_text()
    assert deaths.with_covariance("empirical").bse.notna().all()
    robust = deaths.with_covariance("robust").bse
    assert robust.to_numpy() == pytest.approx(deaths.bse.to_numpy(), rel=0.3)
    with pytest.raises(ValueError, match="log_rate"):
        deaths.to("log_odds")


def test_missing_information_is_the_rate_of_em(deaths: nf.MixtureResults) -> None:
    from natfit.need import LOGLIK, SCORE

    objective = deaths.model.objective(deaths.base)
    best = deaths.base.params
    params = best + 1e-3
    for _ in range(40):  # until the slowest direction is left
        params = objective.complete(objective.evaluate(params, LOGLIK | SCORE))
    after = objective.complete(objective.evaluate(params, LOGLIK | SCORE))
    rate = np.linalg.norm(after - best) / np.linalg.norm(params - best)
    assert deaths.em_rate == pytest.approx(rate, abs=1e-4)
    assert (deaths.missing_information <= deaths.em_rate + 1e-9).all()


@pytest.mark.parametrize("kind", ["parametric", "nonparametric"])
def test_a_bootstrap_agrees_with_the_information(geyser: nf.MixtureResults, kind: str) -> None:
    made = geyser.bootstrap(60, kind, random_state=1)
    assert made.n_failed == 0
    ratio = made.bse / geyser.bse
    assert ratio.between(0.6, 1.6).all()
    limits = made.conf_int()
    assert ((limits[0] < geyser.params) & (geyser.params < limits[1])).all()


def test_number_of_components_by_the_bootstrap() -> None:
    rng = np.random.default_rng(0)
    y = np.concatenate([rng.poisson(2.0, 60), rng.poisson(12.0, 60)])
    test = nf.Mixture("poisson", 1).fit(y).test_components(n_boot=9, n_init=2, random_state=0)
    assert test.pvalue == pytest.approx(0.1)
    assert test.larger.n_components == 2
    assert "p-value 0.1" in str(test)


def test_selection(faithful: pd.DataFrame) -> None:
    chosen = nf.Mixture.select("gaussian", faithful, [1, 2, 3], ["EEE", "VVI"], random_state=0, n_init=6)
    table = chosen.table("bic")
    assert table.loc[0, ["covariance", "n_components"]].tolist() == ["EEE", 3]
    assert chosen.best() is chosen.fits["EEE", 3]
    assert {"llf", "df", "aic", "bic", "icl", "reservations"} <= set(table)


def test_zero_inflation_is_a_point_mass() -> None:
    rng = np.random.default_rng(1)
    y = np.where(rng.random(3000) < 0.3, 0, rng.poisson(2.5, 3000))
    fit = nf.Mixture("poisson", 1, zero_inflated=True).fit(y, random_state=0)
    weight, rate = fit.weights[1], fit.component_params.loc[0, "rate"]
    zeros = weight + (1 - weight) * np.exp(-rate)  # at the maximum the zeros' share is met exactly
    assert zeros == pytest.approx((y == 0).mean(), rel=1e-8)
    assert rate / -np.expm1(-rate) == pytest.approx(y[y > 0].mean(), rel=1e-8)


def test_noise_takes_outliers(faithful: pd.DataFrame) -> None:
    rng = np.random.default_rng(2)
    far = pd.DataFrame({"eruptions": rng.uniform(-10, 15, 30), "waiting": rng.uniform(-50, 200, 30)})
    fit = nf.Mixture("gaussian", 2, noise=True).fit(pd.concat([faithful, far]), random_state=0, n_init=8)
    assert fit.weights[2] == pytest.approx(0.1, abs=0.03)
    assert fit.means["waiting"].tolist() == pytest.approx([80.0, 54.5], abs=1.0)
    assert "Component 2 (noise)" in fit.summary().as_text()


def test_columns_of_unlike_families() -> None:
    rng = np.random.default_rng(3)
    z = rng.integers(2, size=800)
    data = pd.DataFrame(
        {
            "n": rng.poisson(np.array([2.0, 8.0])[z]),
            "u": rng.normal(2.0 * z, 1.0),
            "v": rng.normal(size=800),
            "c": rng.integers(3, size=800),
        }
    )
    families = {"n": "poisson", ("u", "v"): "gaussian", "c": "categorical"}
    fit = nf.Mixture(families, 2, covariance="VVI").fit(data, random_state=0, n_init=6)
    assert sorted(fit.component_params["n:rate"]) == pytest.approx([2.0, 8.0], rel=0.1)
    assert fit.df == 1 + 2 * (1 + 4 + 2)
    drawn, label = fit.sample(500, random_state=0)
    assert list(drawn) == ["n", "u", "v", "c"]
    assert set(drawn["c"]) <= {0.0, 1.0, 2.0}
    assert drawn["n"].groupby(label).mean().to_numpy() == pytest.approx(
        fit.component_params["n:rate"].to_numpy(), rel=0.1
    )


def test_latent_classes() -> None:
    rng = np.random.default_rng(4)
    z = rng.integers(2, size=1500)
    likely = np.array([[0.9, 0.8, 0.2, 0.7], [0.2, 0.3, 0.7, 0.3]])
    data = pd.DataFrame((rng.random((1500, 4)) < likely[z]).astype(int), columns=list("abcd"))
    fit = nf.Mixture("bernoulli", 2).fit(data, random_state=0)
    found = fit.component_params.to_numpy()
    found = found if found[0, 0] > 0.5 else found[::-1]
    assert found == pytest.approx(likely, abs=0.1)


def test_parameters_held_and_shared() -> None:
    velocity = nf.datasets.load("galaxies")["velocity"]
    shared = nf.Mixture("gaussian", 3, shared=["variance"]).fit(velocity, random_state=0)
    equal = nf.Mixture("gaussian", 3, "E").fit(velocity, random_state=0)
    assert shared.llf == pytest.approx(equal.llf, rel=1e-9)
    assert shared.df == equal.df == 6
    assert shared.bse["mean[0]"] == pytest.approx(equal.bse["mean[0]"], rel=1e-5)
    held = nf.Mixture("gaussian", 3, fixed={"sd": 2.0}).fit(velocity, random_state=0)
    assert held.df == 5
    assert held.bse["variance[0]"] == pytest.approx(0.0, abs=1e-9)


def test_rows_with_missing_values(faithful: pd.DataFrame, geyser: nf.MixtureResults) -> None:
    from scipy.stats import multivariate_normal, norm

    rng = np.random.default_rng(5)
    data = faithful.copy()
    data.loc[rng.random(len(data)) < 0.2, "waiting"] = np.nan
    with pytest.raises(ValueError, match="missing values in 'waiting'"):
        nf.Mixture("gaussian", 2).fit(data)
    fit = nf.Mixture("gaussian", 2).fit(data, missing="observed", random_state=0, n_init=8)
    assert fit.converged
    assert fit.means.to_numpy() == pytest.approx(geyser.means.to_numpy(), rel=0.03)
    assert (fit.bse / geyser.bse).mean() > 1.0
    assert fit.predict_proba(data.iloc[:5]).notna().all(axis=None)
    expected = 0.0
    for _, row in data.iterrows():
        seen = row.notna().to_numpy()
        each = (
            [multivariate_normal(fit.means.loc[k], fit.covariances[k]) for k in (0, 1)]
            if seen.all()
            else [norm(fit.means.loc[k, "eruptions"], fit.covariances[k].iloc[0, 0] ** 0.5) for k in (0, 1)]
        )
        at = row.to_numpy() if seen.all() else row["eruptions"]
        expected += np.log(sum(fit.weights[k] * each[k].pdf(at) for k in (0, 1)))
    assert fit.llf == pytest.approx(expected, rel=1e-10)


def test_a_maximum_at_the_edge_is_named(faithful: pd.DataFrame) -> None:
    with pytest.warns(nf.DegeneracyWarning, match="weight of component 2 .noise. has gone to zero"):
        fit = nf.Mixture("gaussian", 2, noise=True).fit(faithful, random_state=0, n_init=4)
    assert any("DEGENERATE" in line for line in fit.summary().as_text().splitlines())


def test_maxima_outside_the_constraint_are_reported() -> None:
    velocity = nf.datasets.load("galaxies")["velocity"]
    strict = nf.Mixture("gaussian", 4, "V").fit(velocity, random_state=0, n_init=40)
    assert strict.base.search.excluded
    assert "left out under the constraint" in strict.summary().as_text()
    loose = nf.Mixture("gaussian", 4, "V", constraint=nf.Constraint(0.0, 0.0)).fit(velocity, random_state=0, n_init=40)
    assert loose.base.search.excluded == []
    assert loose.llf >= strict.llf


def test_figures(geyser: nf.MixtureResults, deaths: nf.MixtureResults) -> None:
    import matplotlib.pyplot as plt

    assert len(geyser.plot().get_lines()) == 4
    assert len(deaths.plot().get_lines()) == 3
    passes = [line.get_xdata()[-1] for line in deaths.plot_convergence().get_lines()]
    assert passes[0] > 10 * passes[1]
    plt.close("all")


def test_paths_of_a_mixture_and_the_parametrization(deaths: nf.MixtureResults) -> None:
    steps = [0.125, 0.0625, 0.03125]
    report = nf.diagnostics.invariance(deaths, parametrizations=["natural", "weights", "rate"], steps=steps)
    table = report.table().set_index(["move", "step"])
    assert table.loc[("straight_in_natural", 0.03125), "identical"]
    spread = table["spread_se"].xs(0.03125, level="step")
    assert spread["gradient_descent"] > 10 * spread["straight"] > 100 * spread["midpoint"]
    with pytest.raises(ValueError, match="parameters are all free"):
        nf.diagnostics.invariance(
            nf.Mixture("gaussian", 2, "E").fit(nf.datasets.load("galaxies")["velocity"], n_init=8, random_state=0)
        )


def test_sources_stream(faithful: pd.DataFrame, geyser: nf.MixtureResults) -> None:
    from natfit.data.arrays import BlockSource
    from natfit.data.block import Block

    def halves() -> list[Block]:
        y = faithful.to_numpy()
        return [Block({}, {"y": y[:100]}), Block({}, {"y": y[100:]})]

    fit = nf.Mixture("gaussian", 2).fit(BlockSource(halves), random_state=0, n_init=8)
    assert fit.llf == pytest.approx(geyser.llf, rel=1e-10)
    assert fit.params.to_numpy() == pytest.approx(geyser.params.to_numpy(), rel=1e-6)


REFUSALS = [
    ({"n_components": 0}, None, "n_components must be a whole number, 1 or more; got 0"),
    ({"covariance": "VVW"}, None, "unknown covariance 'VVW'.*EII, VII.*VVV, full, tied, diag, spherical"),
    ({"n_components": 4}, [[1.0, 2.0], [2.0, 1.0], [1.0, 1.0], [1.0, 2.0]], "there are 3; use fewer components"),
    ({}, [[1.0, 2.0], [1.0, 3.0], [1.0, 5.0]], "'y0' is constant; leave it out"),
    ({}, [[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], "'y0', 'y1' are dependent"),
    ({}, [[1.0, 2.0], [np.inf, 4.0], [3.0, 6.0]], "infinite"),
    ({"family": "poisson"}, [1.0, 2.5, 3.0], "poisson needs whole numbers from 0 up.*rows 1"),
    ({"family": "poisson"}, [1.0, np.nan, 3.0], "missing values in 'y': 1 row"),
    ({"family": "negative_binomial"}, [1.0, 2.0, 3.0], "alpha"),
    ({"family": "poisson", "fixed": {"ratee": 1.0}}, [1.0, 2.0, 3.0], "no parameter 'ratee'.*rate"),
    ({"family": {"a": "poisson"}}, [[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], "no column 'a'"),
]


@pytest.mark.parametrize(("options", "rows", "message"), REFUSALS, ids=[str(i) for i in range(len(REFUSALS))])
def test_bad_input_is_refused_in_one_sentence(options: dict, rows: list | None, message: str) -> None:
    y = nf.datasets.load("faithful") if rows is None else np.array(rows)
    with pytest.raises(ValueError, match=message):
        nf.Mixture(**{"family": "gaussian", "n_components": 2, **options}).fit(y)


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mixture", "--components", "1:3", "--covariance", "EEE", "--data", "faithful", "--starts", "5"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[1].split()[:2] == ["EEE", "3"]
    assert "Component 2" in out
    assert main(["mixture", "--components", "3:1", "--data", "faithful"]) == 2
    assert "write it as 1:6" in capsys.readouterr().err
