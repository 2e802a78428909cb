"""Influence: laws of the leverage, statsmodels' numbers, and refits without a row where one step is exact."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import natfit as nf
from natfit.data.arrays import ArraySource
from natfit.results.influence import leverage

RNG = np.random.default_rng(3)
N = 40
X = np.column_stack([np.ones(N), RNG.normal(size=(N, 2))])
ETA = X @ [0.5, 0.4, -0.3]
RESPONSES = {
    "gaussian": (ETA + RNG.normal(size=N), sm.families.Gaussian()),
    "poisson": (RNG.poisson(np.exp(ETA)), sm.families.Poisson()),
    "binomial": (RNG.binomial(1, 1 / (1 + np.exp(-ETA))), sm.families.Binomial()),
    "gamma": (RNG.gamma(2.0, np.exp(ETA) / 2), sm.families.Gamma(sm.families.links.Log())),
}


def fitted(name, **options):
    link = {"gamma": "log"}.get(name)
    return nf.GLM(RESPONSES[name][0], X, family=name, link=link, **options).fit()


@pytest.mark.parametrize("name", ["gaussian", "poisson", "binomial"])
def test_numbers_are_statsmodels_where_both_informations_agree(name):
    y, family = RESPONSES[name]
    theirs = sm.GLM(y, X, family=family).fit(tol=1e-14).get_influence().summary_frame()
    ours = fitted(name).influence()
    for column in theirs:
        np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-7, atol=1e-9, err_msg=column)


@pytest.mark.parametrize("name", RESPONSES)
def test_leverages_add_up_to_the_rank_in_any_units_and_any_blocks(name):
    fit = fitted(name)
    hat = leverage(fit)
    np.testing.assert_allclose(hat.sum(), 3.0, rtol=1e-9)
    assert ((hat > 0.0) & (hat < 1.0)).all()
    rescaled = nf.GLM(fit.model.endog, X * [1.0, 1e6, 1e-4], family=name, link=fit.link).fit()
    np.testing.assert_allclose(leverage(rescaled), hat, rtol=1e-7)
    fit.model.source = ArraySource(fit.model.source.whole, block_rows=7)
    np.testing.assert_allclose(leverage(fit), hat, rtol=1e-12)
    np.testing.assert_allclose(fit.influence(), fitted(name).influence(), rtol=1e-9)


def test_one_step_is_the_refit_of_a_linear_gaussian():
    y = RESPONSES["gaussian"][0]
    fit = fitted("gaussian")
    moved = fit.influence().filter(like="dfb_").to_numpy() * fit.bse
    for row in range(0, N, 7):
        rest = np.delete(np.arange(N), row)
        np.testing.assert_allclose(
            moved[row], fit.params - nf.GLM(y[rest], X[rest]).fit().params, rtol=1e-8, atol=1e-12
        )


def test_one_step_is_near_the_refit_in_standard_errors_and_in_kl():
    y, fit = RESPONSES["poisson"][0], fitted("poisson")
    frame = fit.influence(dfbetas=False)
    row = int(frame["kl_shift"].argmax())
    rest = np.delete(np.arange(N), row)
    other = nf.GLM(y[rest], X[rest], family="poisson").fit().params
    block = fit.model.source.whole
    exact = fit.likelihood.kl(other, fit.params, block)["kl"]
    np.testing.assert_allclose(frame["kl_shift"][row], exact, rtol=0.2)
    np.testing.assert_allclose(frame["kl_shift"], frame["se_shift"] ** 2 / 2)


def test_a_row_of_frequency_is_that_many_rows_left_out_together():
    y = RESPONSES["poisson"][0]
    freq = np.ones(N)
    freq[:5] = [2, 3, 1, 4, 2]
    one = nf.GLM(y, X, family="poisson", freq_weights=freq).fit().influence()
    again = np.repeat(np.arange(N), freq.astype(int))
    each = nf.GLM(y[again], X[again], family="poisson").fit().influence()
    np.testing.assert_allclose(np.bincount(again, each["hat_diag"]), one["hat_diag"], rtol=1e-9)
    first = np.searchsorted(again, np.arange(N))
    for name in ("standard_resid", "standard_resid_deviance"):
        np.testing.assert_allclose(each[name].to_numpy()[first], one[name], rtol=1e-9)
    single = freq == 1
    np.testing.assert_allclose(each["cooks_d"].to_numpy()[first][single], one["cooks_d"][single], rtol=1e-8)


def test_aliased_columns_change_nothing_and_are_nan():
    y = RESPONSES["poisson"][0]
    twice = nf.GLM(y, np.column_stack([X, X[:, 1]]), family="poisson").fit().influence()
    single = fitted("poisson").influence()
    np.testing.assert_allclose(twice[single.columns], single, rtol=1e-9)
    assert twice.iloc[:, -1].isna().all()


def test_a_row_fitted_by_a_column_of_its_own():
    own = np.column_stack([X, np.arange(N) == 4])
    frame = nf.GLM(RESPONSES["poisson"][0] + 1, own, family="poisson").fit().influence()
    assert frame["hat_diag"][4] == pytest.approx(1.0)
    assert frame.isna().any(axis=1).to_numpy().nonzero()[0].tolist() == [4]


def test_rows_keep_their_labels_and_their_order():
    data = pd.DataFrame(X[:, 1:], columns=["a", "b"], index=[f"r{k}" for k in range(N)]).assign(
        y=RESPONSES["poisson"][0]
    )
    frame = nf.GLM.from_formula("y ~ a + b", data, family="poisson").fit().influence()
    order = RNG.permutation(N)
    shuffled = nf.GLM.from_formula("y ~ a + b", data.iloc[order], family="poisson").fit().influence()
    pd.testing.assert_frame_equal(frame.iloc[order], shuffled, rtol=1e-8)


def test_separated_fits_are_refused():
    x = np.column_stack([np.ones(6), np.arange(6.0)])
    with pytest.warns(nf.SeparationWarning):
        fit = nf.GLM([0, 0, 0, 1, 1, 1], x, family="binomial").fit()
    with pytest.raises(ValueError, match="a leverage needs finite estimates, but those of const, x1 run off"):
        fit.influence()
