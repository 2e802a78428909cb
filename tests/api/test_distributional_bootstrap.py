"""The bootstrap of distributional fits: a replicate is the fit that it stands for, and the spread is about Wald's."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import natfit as nf
from natfit.results.bootstrap.resampling import generator, seeds
from natfit.results.warnings import ConvergenceWarning

FIT = nf.DistributionalRegression.from_formula
GASOLINE = nf.datasets.load("gasoline")
RNG = np.random.default_rng(21)


def _table(n: int = 300) -> pd.DataFrame:
    """Responses of several kinds, whose laws are those that are fitted."""
    x = RNG.normal(size=n)
    mean, precision = 1.0 / (1.0 + np.exp(-0.3 - 0.5 * x)), np.exp(2.5 + 0.4 * x)
    share = RNG.beta(mean * precision, (1.0 - mean) * precision)
    good = RNG.binomial(9, RNG.beta(4.0 * mean, 4.0 * (1.0 - mean)))
    level = np.digitize(x + RNG.logistic(size=n), [-1.0, 1.0])
    return pd.DataFrame(
        {
            "x": x,
            "share": share,
            "good": good,
            "bad": 9 - good,
            "rest": 1.0 - share,
            "count": RNG.negative_binomial(2.0, 1.0 / (1.0 + np.exp(x) / 2.0)),
            "level": pd.Categorical.from_codes(level, ["low", "middle", "high"], ordered=True),
            "turn": RNG.vonmises(0.5 + 0.2 * x, 3.0),
            "site": np.arange(n) % 30,
        }
    )


TABLE = _table()
KINDS = {
    "beta": "share ~ x | x",
    "beta_binomial": "good + bad ~ x",
    "dirichlet": "share + rest ~ x",
    "nb2": "count ~ x",
    "cumulative": "level ~ x",
    "von_mises": "turn ~ x",
}


@pytest.fixture(scope="module")
def beta() -> nf.DistributionalResults:
    return FIT(KINDS["beta"], TABLE, "beta").fit()


@pytest.mark.parametrize("kind", ["case", "parametric", "cluster"])
def test_standard_errors_are_about_walds_where_the_model_holds(kind: str, beta: nf.DistributionalResults) -> None:
    boot = beta.bootstrap(200, kind, groups="site" if kind == "cluster" else None, random_state=1)
    assert list(boot.bse.index) == list(beta.params.index) == list(boot.replicates.columns)
    pd.testing.assert_series_equal(boot.estimate, beta.params)
    # a standard deviation of 200 is known to 1 / sqrt(400), 5%; of 30 clusters' own chance is left as well
    np.testing.assert_allclose(boot.bse, beta.bse, rtol=0.4 if kind == "cluster" else 0.2)
    assert (boot.bias.abs() < 0.5 * beta.bse).all()
    assert boot.n_used == 200
    assert "mean:Intercept" in str(boot.summary())


@pytest.mark.parametrize("family", KINDS)
def test_replicates_are_the_fits_of_rows_drawn(family: str) -> None:
    fit = FIT(KINDS[family], TABLE, family).fit()
    boot = fit.bootstrap(2, random_state=7)
    for b in range(2):
        rows = generator(seeds(7), b).integers(0, len(TABLE), len(TABLE))
        direct = FIT(KINDS[family], TABLE.iloc[rows].reset_index(drop=True), family).fit()
        np.testing.assert_allclose(boot.replicates.iloc[b], direct.params, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("family", KINDS)
def test_responses_are_drawn_from_the_fitted_law(family: str) -> None:
    fit = FIT(KINDS[family], TABLE, family).fit()
    boot = fit.bootstrap(60, "parametric", random_state=3)
    assert boot.n_used == 60
    assert (boot.bias.abs() < 5.0 * fit.bse / np.sqrt(60) + 0.25 * fit.bse).all()
    np.testing.assert_allclose(boot.bse, fit.bse, rtol=0.45)  # known to 1 / sqrt(120), 9%


def test_numbers_depend_on_the_seed_alone(beta: nf.DistributionalResults) -> None:
    one = beta.bootstrap(12, random_state=3, n_jobs=1)
    pd.testing.assert_frame_equal(one.replicates, beta.bootstrap(12, random_state=3, n_jobs=3).replicates)
    assert not one.replicates.equals(beta.bootstrap(12, random_state=4).replicates)


def test_ties_are_kept_and_stand_once() -> None:
    fit = FIT("yield ~ temp | temp", GASOLINE, "beta", constraints="mean:temp = precision:temp").fit()
    assert list(fit.bootstrap(5, random_state=1).replicates.columns) == list(fit.params.index)


def test_bca_levels_take_refits_without_some_rows() -> None:
    small = FIT("yield ~ temp", GASOLINE, "beta").fit()
    boot = small.bootstrap(60, random_state=1)
    without = [FIT("yield ~ temp", GASOLINE.drop(index=i), "beta").fit().params for i in GASOLINE.index]
    away = np.mean(without, axis=0) - np.array(without)
    by_hand = (away**3).sum(axis=0) / (6.0 * (away**2).sum(axis=0) ** 1.5)
    np.testing.assert_allclose(boot.acceleration, by_hand, rtol=1e-5)
    limits = boot.conf_int(0.1, "bca")
    assert (limits[0] < small.params).all()
    assert (small.params < limits[1]).all()


def test_a_statistic_of_ones_own(beta: nf.DistributionalResults) -> None:
    boot = beta.bootstrap(30, random_state=1, statistic=lambda fit: {"p": fit.predict(TABLE.head(1)).iloc[0]})
    assert boot.estimate["p"] == pytest.approx(beta.predict(TABLE.head(1)).iloc[0])
    assert 0.0 < boot.bse["p"] < 0.1


def test_replicates_without_a_maximum_are_counted_and_left_out() -> None:
    # some of these fits lose the expected information right where they go over to the observed one
    fit = FIT("yield ~ C(batch) + temp | temp", GASOLINE, "beta").fit()
    with pytest.warns(ConvergenceWarning, match=r"of 50 replicates have no maximum \(\d+ not converged\)") as said:
        boot = fit.bootstrap(50, random_state=1)
    assert said[0].filename == __file__
    drawn = [generator(seeds(1), b).integers(0, len(GASOLINE), len(GASOLINE)) for b in range(50)]
    without = np.array([GASOLINE["batch"].iloc[rows].nunique() < 10 for rows in drawn])
    assert without.any()
    assert boot.replicates[without].isna().all(axis=None)  # a batch that is not drawn has no coefficient
    assert boot.left_out["not converged"] == boot.n - boot.n_used == boot.replicates.isna().any(axis=1).sum()


@pytest.mark.parametrize(("family", "response"), [("gaussian", "x"), ("logistic", "x"), ("von_mises", "turn")])
def test_a_level_that_is_not_drawn_leaves_no_maximum_and_nothing_else_is_said(family: str, response: str) -> None:
    rare = TABLE.assign(level=np.where(np.arange(len(TABLE)) < 2, "rare", np.where(TABLE["site"] < 15, "a", "b")))
    fit = FIT(f"{response} ~ level + good", rare, family).fit()
    with pytest.warns(ConvergenceWarning, match="not converged") as said:
        boot = fit.bootstrap(30, random_state=1)
    assert len(said) == 1
    absent = [(generator(seeds(1), b).integers(0, len(rare), len(rare)) > 1).all() for b in range(30)]
    assert boot.left_out == {"not converged": sum(absent)}
    np.testing.assert_array_equal(boot.replicates.isna().all(axis=1), absent)


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "streams": (
        lambda: FIT(KINDS["beta"], nf.data.from_frame(TABLE), "beta").fit(),
        {},
        "another response or other frequencies are for rows in memory",
    ),
    "parts of observations": (
        lambda: FIT(KINDS["beta"], TABLE, "beta", freq_weights=np.full(len(TABLE), 1.5)).fit(),
        {},
        "freq_weights must be whole numbers",
    ),
    "frequencies": (
        lambda: FIT(KINDS["beta"], TABLE, "beta", freq_weights=np.full(len(TABLE), 2.0)).fit(),
        {"kind": "parametric"},
        "a response for each row, and one of frequency f",
    ),
    "counts of classes": (
        lambda: FIT("normal + mild + severe ~ logt", nf.datasets.load("pneumo"), "cumulative").fit(),
        {"kind": "parametric"},
        "draws one case for each row",
    ),
    "no clusters": (
        lambda: FIT(KINDS["nb2"], TABLE, "nb2").fit(),
        {"kind": "cluster"},
        "needs the cluster of each row",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_be_drawn_is_refused(case: str) -> None:
    fitted, asked, said = REFUSED[case]
    with pytest.raises(ValueError, match=said):
        fitted().bootstrap(**{"n": 5, **asked})


def test_a_fit_without_a_maximum_is_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        stopped = FIT(KINDS["beta"], TABLE, "beta").fit(maxiter=1)
    with pytest.raises(ValueError, match="needs a fit that reached its maximum"):
        stopped.bootstrap(5)


def test_a_saved_fit_has_no_rows_to_draw(beta: nf.DistributionalResults, tmp_path: Path) -> None:
    beta.save(tmp_path / "fit.natfit")
    with pytest.raises(ValueError, match="another fit"):
        nf.load(tmp_path / "fit.natfit").bootstrap(5)
