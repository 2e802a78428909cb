"""Predictions: one for each row given, NaN where a value is missing; offset and exposure of the model or of the call."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

import natfit as nf
from natfit.models.families import resolve_family

RNG = np.random.default_rng(5)
N = 60
DATA = pd.DataFrame(
    {
        "y": RNG.poisson(3, N),
        "x": RNG.normal(size=N),
        "g": RNG.permutation(list("abc") * 20),
        "e": RNG.uniform(1, 2, N),
        "o": RNG.normal(size=N) / 5,
    },
    index=[f"r{i}" for i in range(N)],
)
HOLES = DATA.head(4).assign(x=[1.0, np.nan, 2.0, 0.5], g=["a", "b", None, "c"])
FORMS = {
    "pandas": lambda frame: frame,
    "dict": lambda frame: {name: frame[name].tolist() for name in frame},
    "polars": lambda frame: pl.from_pandas(frame),
}
FIT = nf.GLM.from_formula("y ~ x + g", DATA, family="poisson").fit()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("which", ["mean", "linear"])
def test_rows_with_missing_values_keep_their_places(form, which):
    predicted = FIT.predict(FORMS[form](HOLES), which=which)
    expected = FIT.predict(HOLES.assign(x=HOLES["x"].fillna(0.0), g=HOLES["g"].fillna("a")), which=which).to_numpy()
    assert predicted.index.tolist() == (HOLES.index.tolist() if form == "pandas" else [0, 1, 2, 3])
    # A row's product with the coefficients may differ in its last bit with the number of rows beside it.
    np.testing.assert_allclose(predicted, np.where([False, True, True, False], np.nan, expected), rtol=1e-14)


@pytest.mark.parametrize("form", FORMS)
def test_intervals_of_rows_with_missing_values(form):
    frame = FIT.get_prediction(FORMS[form](HOLES)).summary_frame()
    assert frame.index.tolist() == (HOLES.index.tolist() if form == "pandas" else [0, 1, 2, 3])
    assert frame.isna().all(axis=1).tolist() == [False, True, True, False]
    expected = FIT.get_prediction(HOLES.iloc[[0, 3]]).summary_frame()
    np.testing.assert_allclose(frame.iloc[[0, 3]], expected, rtol=1e-13)


def test_missing_values_agree_with_statsmodels():
    theirs = smf.glm("y ~ x", DATA, family=sm.families.Poisson()).fit().predict(HOLES)
    ours = nf.GLM.from_formula("y ~ x", DATA, family="poisson").fit().predict(HOLES)
    pd.testing.assert_series_equal(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize(
    ("family", "link"),
    [("binomial", link) for link in ("logit", "probit", "cloglog", "loglog", "cauchy", "identity", "log")]
    + [("gaussian", link) for link in ("identity", "log", "inverse")]
    + [("gamma", "inverse"), ("poisson", "sqrt"), ("inverse_gaussian", "inverse_squared")],
)
def test_every_link_carries_nan(family, link):
    resolved = resolve_family(family, link)[1]
    with np.errstate(all="ignore"):
        assert np.isnan(resolved.inverse(np.array([np.nan]))).all()
        assert np.isnan(resolved.mean(np.array([np.nan]))[0]).all()


def test_missing_offset_of_a_new_row():
    fit = nf.GLM.from_formula("y ~ x", DATA, family="poisson", offset="o", exposure="e").fit()
    new = DATA.head(3).assign(o=[0.0, np.nan, 0.0], x=[np.nan, 1.0, 1.0])
    assert fit.predict(new).isna().tolist() == [True, True, False]


def test_a_design_with_missing_values():
    X = np.column_stack([np.ones(N), DATA["x"]])
    fit = nf.GLM(DATA["y"].to_numpy(), X, family="poisson").fit()
    new = np.array([[1.0, np.nan], [1.0, 2.0]])
    assert np.isnan(fit.predict(new)).tolist() == [True, False]
    assert fit.get_prediction(new).summary_frame().isna().any(axis=1).tolist() == [True, False]


def both():
    X = np.column_stack([np.ones(N), DATA["x"]])
    y, known = DATA["y"].to_numpy(), {"offset": DATA["o"].to_numpy(), "exposure": DATA["e"].to_numpy()}
    ours = nf.GLM(y, X, family="poisson", **known).fit()
    return ours, sm.GLM(y, X, family=sm.families.Poisson(), **known).fit(tol=1e-12)


@pytest.mark.parametrize(
    "given",
    [{}, {"exposure": np.ones(N)}, {"offset": np.zeros(N)}, {"exposure": np.full(N, 2.0), "offset": np.ones(N)}],
)
def test_offset_and_exposure_default_to_the_models_each(given):
    ours, theirs = both()
    np.testing.assert_allclose(ours.predict(**given), theirs.predict(**given), rtol=1e-7)
    np.testing.assert_allclose(ours.get_prediction(**given).predicted_mean, theirs.predict(**given), rtol=1e-7)
    X = ours.model.exog[:N]
    np.testing.assert_allclose(ours.predict(X, **given), theirs.predict(X, **given), rtol=1e-7)


def test_a_number_stands_for_every_row():
    fit = nf.GLM.from_formula("y ~ x", DATA, family="poisson", exposure="e").fit()
    np.testing.assert_allclose(fit.predict(HOLES, exposure=2.0), 2.0 * fit.predict(HOLES, exposure=np.ones(4)))
    np.testing.assert_allclose(fit.predict(HOLES, exposure=1, offset=1.0), np.e * fit.predict(HOLES, exposure=1))
    np.testing.assert_allclose(fit.predict(exposure=np.float64(1.0)), fit.predict(DATA, exposure=1.0))
    np.testing.assert_allclose(fit.predict(DATA, exposure="e"), fit.fittedvalues)


def test_faults_name_the_argument():
    ours, _ = both()
    with pytest.raises(ValueError, match=r"^'exposure' has 3 rows and 'endog' has 60"):
        ours.predict(exposure=np.ones(3))
    with pytest.raises(ValueError, match=r"^'exposure' has 3 rows and 'exog' has 2"):
        ours.predict(np.ones((2, 2)), exposure=np.ones(3))
    with pytest.raises(ValueError, match=r"^'offset' has 2 rows and 'exog' has 4"):
        FIT.predict(HOLES, offset=np.ones(2))
    with pytest.raises(ValueError, match=r"^'exposure' must not be negative, and is in 1 row \(0\)"):
        FIT.predict(HOLES, exposure=[-1.0, 1, 1, 1])
    with pytest.raises(TypeError, match=r"predict\(\) got an unexpected keyword argument 'weights'"):
        FIT.predict(HOLES, weights=1)
    with pytest.raises(TypeError, match=r"get_prediction\(\) got an unexpected keyword argument 'weights'"):
        FIT.get_prediction(HOLES, weights=1)
