"""Mixtures of regressions on rows that stream by, and with columns that are combinations of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import natfit as nf
from natfit.results.storage import StorageError

ROWS = 1_500

pytestmark = pytest.mark.usefixtures("small_tables")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    made = pd.DataFrame({"x": rng.normal(size=ROWS), "age": rng.normal(size=ROWS), "g": rng.choice(list("ab"), ROWS)})
    made["years"] = rng.random(ROWS) + 0.5
    made["times"] = rng.integers(1, 4, ROWS).astype(float)
    second = rng.random(ROWS) < 1.0 / (1.0 + np.exp(-0.5 - made.age))
    made["y"] = rng.poisson(made.years * np.exp(np.where(second, 2.5 - 0.4 * made.x, 0.5 + 0.5 * made.x)))
    made["y"] = made.y.astype(float)
    made.loc[[3, 900], "x"] = np.nan
    made.loc[ROWS - 30 :, "g"] = "c"  # a level of the last table only
    return made


@pytest.fixture(scope="module")
def path(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("rows") / "rows.parquet"
    frame.to_parquet(made)
    return made


OPTIONS: list[dict[str, Any]] = [
    {"formula": "y ~ x", "offset": "log(years)"},
    {"formula": "y ~ x + g", "exposure": "years", "concomitant": "~ age", "freq_weights": "times", "shared": ["g"]},
]


def fitted(data: Any, formula: str, **options: Any) -> nf.MixtureRegressionResults:
    model = nf.MixtureRegression.from_formula(formula, data=data, family="poisson", **options)
    return model.fit(n_init=4, random_state=0)


@pytest.mark.parametrize("options", OPTIONS, ids=["offset", "everything"])
def test_streams_give_the_fit_that_memory_gives(frame: pd.DataFrame, path: Path, options: dict[str, Any]) -> None:
    whole, streamed = fitted(frame, **options), fitted(nf.data.from_parquet(path), **options)
    assert streamed.llf == pytest.approx(whole.llf, rel=1e-10)
    assert streamed.nobs == whole.nobs
    pd.testing.assert_series_equal(streamed.params, whole.params, rtol=1e-7, atol=1e-8)
    pd.testing.assert_series_equal(streamed.bse, whole.bse, rtol=1e-6)
    assert streamed.icl == pytest.approx(whole.icl, rel=1e-8)
    assert "2 rows with missing values were left out" in str(streamed.summary())
    complete = frame.dropna()
    for which in ("mean", "components", "weights"):
        expected = whole.predict(complete, which).to_numpy()
        np.testing.assert_allclose(streamed.predict(which=which), expected, rtol=1e-6)
        for fit in (whole, streamed):
            np.testing.assert_allclose(fit.predict(nf.data.from_parquet(path), which), expected, rtol=1e-6)
    expected = whole.predict_proba(complete).to_numpy()
    for found in (
        streamed.predict_proba(),
        whole.predict_proba(nf.data.from_frame(frame)),
        streamed.predict_proba(complete),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(streamed.score_samples(), whole.score_samples(), rtol=1e-6)


def test_streamed_classes_keep_the_order_of_the_rows(frame: pd.DataFrame, path: Path) -> None:
    fit = fitted(nf.data.from_parquet(path), **OPTIONS[0])
    complete = frame.dropna()
    assert (fit.classify().to_numpy() == fit.classify(complete).to_numpy()).all()
    y, component = fit.sample(random_state=0)
    assert len(y) == len(component) == len(complete)
    assert len(fit.degeneracies) == 0


def test_two_levels_stream_as_a_response(frame: pd.DataFrame, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(150), 10)
    p = np.where((person < 90), 0.9, 0.15)
    rows = pd.DataFrame({"won": np.where(rng.random(1500) < p, "yes", "no"), "z": rng.normal(size=1500)})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    options: dict[str, Any] = {"family": "binomial", "n_components": 1}
    whole = nf.MixtureRegression.from_formula("won ~ z", rows, **options).fit()
    streamed = nf.MixtureRegression.from_formula("won ~ z", nf.data.from_csv(tmp_path / "rows.csv"), **options).fit()
    pd.testing.assert_series_equal(streamed.params, whole.params, rtol=1e-7)
    found = whole.score_samples(nf.data.from_csv(tmp_path / "rows.csv"))
    np.testing.assert_allclose(found, whole.score_samples(rows), rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"groups": "g"}, "groups needs rows in memory"),
        ({"subset": [1, 2]}, "subset needs rows in memory"),
        ({"offset": np.zeros(ROWS)}, "must name a column"),
        ({"concomitant": "y ~ age"}, "the weights have no response"),
        ({"concomitant": "~ age + I(2 * age)"}, "must be linearly independent"),
        ({"family": "binomial"}, "between 0 and 1"),
    ],
    ids=["groups", "subset", "array", "response", "dependent", "support"],
)
def test_what_streams_cannot_do_is_said(path: Path, options: dict[str, Any], words: str) -> None:
    options = {"family": "poisson"} | options
    with pytest.raises(ValueError, match=words):
        nf.MixtureRegression.from_formula("y ~ x", nf.data.from_parquet(path), **options)


def test_bootstraps_of_streams_are_refused(path: Path) -> None:
    fit = fitted(nf.data.from_parquet(path), **OPTIONS[0])
    for attempt in (fit.bootstrap, fit.test_components):
        with pytest.raises(ValueError, match="fit a table in memory"):
            attempt(n_boot=2)
    with pytest.raises(ValueError, match="may be named by a column"):
        fit.predict(nf.data.from_parquet(path), offset=np.zeros(ROWS))


def test_combinations_of_other_columns_have_no_coefficient(frame: pd.DataFrame, path: Path, tmp_path: Path) -> None:
    plain = fitted(frame, "y ~ x + age")
    for data in (frame, nf.data.from_parquet(path)):
        fit = fitted(data, "y ~ x + I(2 * x - 1) + age", shared=[])
        assert fit.llf == pytest.approx(plain.llf, rel=1e-10)
        assert (fit.df, fit.aic) == (plain.df, pytest.approx(plain.aic))
        gone = fit.params.index.str.startswith("I(")
        assert gone.sum() == 2
        assert fit.params[gone].isna().all()
        assert fit.bse[gone].isna().all()
        pd.testing.assert_series_equal(fit.params[~gone], plain.params, rtol=1e-6)
        pd.testing.assert_series_equal(fit.bse[~gone], plain.bse, rtol=1e-6)
        assert "I(2 * x - 1) is a linear combination of Intercept, x" in str(fit.summary())
        assert "not positive definite" not in str(fit.summary())
        complete = frame.dropna()
        np.testing.assert_allclose(fit.predict(complete), plain.predict(complete), rtol=1e-6)
        np.testing.assert_allclose(fit.predict_proba(complete), plain.predict_proba(complete), rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(
            fit.predict_proba(nf.data.from_parquet(path)), plain.predict_proba(complete), rtol=1e-5, atol=1e-9
        )
        fit.save(tmp_path / "fit.natfit")
        again = nf.load(tmp_path / "fit.natfit")
        pd.testing.assert_series_equal(again.params, fit.params)
        np.testing.assert_array_equal(again.predict(complete), fit.predict(complete))
        assert str(again.summary()).splitlines()[8:] == str(fit.summary()).splitlines()[8:]


def test_bootstraps_leave_out_combinations(frame: pd.DataFrame) -> None:
    made = fitted(frame.dropna()[:400], "y ~ x + I(2 * x)").bootstrap(n_boot=4, random_state=0)
    assert made.n_failed == 0
    assert made.bse.isna().tolist() == made.params.isna().tolist()


def test_a_column_of_a_loaded_fit_is_checked(path: Path, tmp_path: Path) -> None:
    fit = fitted(nf.data.from_parquet(path), **OPTIONS[1])
    fit.save(tmp_path / "fit.natfit")
    again = nf.load(tmp_path / "fit.natfit")
    np.testing.assert_allclose(again.predict(nf.data.from_parquet(path)), fit.predict(), rtol=1e-12)
    with pytest.raises((StorageError, ValueError)):
        again.predict()
