"""A fit made again with something changed is the fit of the changed data."""

import numpy as np

import natfit as nf

CRABS = nf.datasets.load("crabs")


def _fit(formula, **options):
    return nf.GLM.from_formula(formula, data=CRABS, family="poisson", **options).fit()


def test_chosen_columns_are_the_smaller_model():
    whole = _fit("sat ~ width + weight + C(color)")
    part = whole.model.refit(whole, columns=[0, 4])
    direct = _fit(" + ".join(["sat ~ 1", whole.model.exog_names[4]]))
    np.testing.assert_allclose(part.params, direct.params, rtol=1e-9)
    np.testing.assert_allclose(part.bse, direct.bse, rtol=1e-9)
    assert list(part.params.index) == list(direct.params.index)
    np.testing.assert_allclose(part.predict(CRABS[:3]), direct.predict(CRABS[:3]), rtol=1e-9)


def test_other_frequencies_and_responses():
    whole = _fit("sat ~ width")
    freq = np.arange(len(CRABS)) % 3
    np.testing.assert_allclose(
        whole.model.refit(whole, freq_weights=freq).params, _fit("sat ~ width", freq_weights=freq).params, rtol=1e-9
    )
    y = np.roll(whole.model.endog, 1)
    moved = CRABS.assign(sat=y)
    direct = nf.GLM.from_formula("sat ~ width", data=moved, family="poisson").fit()
    np.testing.assert_allclose(whole.model.refit(whole, y=y).params, direct.params, rtol=1e-9)


def test_alpha_is_estimated_again_or_held():
    whole = nf.GLM.from_formula("sat ~ width", data=CRABS, family=nf.families.NegativeBinomial(alpha="ml")).fit()
    again = whole.model.refit(whole, columns=[0])
    held = whole.model.refit(whole, columns=[0], family=whole.family)
    assert again.family.alpha > held.family.alpha == whole.family.alpha


def test_a_fit_from_nearby_is_the_fit_from_its_own_start():
    whole = _fit("sat ~ width + C(color)")
    freq = np.random.default_rng(0).poisson(1.0, len(CRABS)).astype(float)
    near = whole.model.refit(whole, freq_weights=freq, nearby=True, n_jobs=1)
    own = whole.model.refit(whole, freq_weights=freq)
    np.testing.assert_allclose(near.params, own.params, rtol=1e-8)
    aliased = whole.model.refit(whole, freq_weights=np.where(CRABS["color"] == 4, 0.0, freq), nearby=True)
    assert aliased.fitted.alias_notes == ["C(color)[T.4] is zero on every row"]
    assert aliased.converged


def test_a_column_that_is_zero_wherever_there_is_weight_is_aliased():
    X = np.column_stack([np.ones(20), np.arange(20) == 3])
    found = nf.GLM(np.arange(20.0), X, freq_weights=np.arange(20) != 3).fit()
    assert np.isnan(found.params[1])
    np.testing.assert_allclose(found.params[0], np.delete(np.arange(20.0), 3).mean())
