"""Laws of bias reduction: the adjusted score is the gradient, units and row order change nothing, closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

import natfit as nf
from natfit.models.bias_reduction import AdjustedObjective
from natfit.need import ALL

RNG = np.random.default_rng(20)
X = np.column_stack([np.ones(30), RNG.uniform(0.0, 1.0, (30, 2))])
CASES = [
    ("binomial", "logit"),
    ("binomial", "probit"),
    ("binomial", "cloglog"),
    ("binomial", "loglog"),
    ("binomial", "cauchit"),
    ("poisson", "log"),
    ("poisson", "identity"),
    ("poisson", "sqrt"),
    ("gamma", "inverse"),
    ("gamma", "log"),
    ("inverse_gaussian", "log"),
    ("gaussian", "log"),
    (nf.families.NegativeBinomial(alpha=0.4), "log"),
]
every_case = pytest.mark.parametrize(("family", "link"), CASES, ids=[f"{f}-{k}" for f, k in CASES])


def response(family, rng=RNG):
    if family == "binomial":
        return rng.binomial(8, rng.uniform(0.2, 0.9, 30)) / 8
    positive = rng.gamma(3.0, 1.0 + X[:, 1])
    return positive if family in ("gamma", "inverse_gaussian", "gaussian") else np.ceil(positive)


def model(family, link, **options):
    y = response(family, np.random.default_rng(5))
    if family == "binomial":
        options.setdefault("trials", np.full(30, 8.0))
    return nf.GLM(y, options.pop("X", X), family=family, link=link, **options)


@every_case
def test_the_firth_score_is_the_gradient_of_the_penalised_log_likelihood(family, link):
    made = model(family, link, offset=np.linspace(0.0, 0.1, 30))
    at = made.fit(bias_reduction="mean").params * 0.97
    objective = AdjustedObjective(made.likelihood(), made.source, np.ones(3, dtype=bool), "firth", 0.7)
    score = objective.evaluate(at, ALL).score
    for j in range(3):
        h = 1e-4 * max(abs(at[j]), 0.1)
        values = [objective.evaluate(at + k * h * np.eye(3)[j], ALL).loglik for k in (-2, -1, 1, 2)]
        slope = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)
        assert score[j] == pytest.approx(slope, rel=2e-7, abs=2e-7 * np.abs(score).max())


@every_case
def test_the_two_are_one_under_a_canonical_link_only(family, link):
    made = model(family, link)
    firth, mean = (made.fit(bias_reduction=kind) for kind in ("firth", "mean"))
    assert firth.converged
    assert mean.converged
    same = np.allclose(firth.params, mean.params, rtol=1e-8)
    assert same == made.likelihood().observed_is_expected
    assert not np.allclose(firth.params, made.fit().params, rtol=1e-8) or (family, link) in (
        ("poisson", "sqrt"),  # its information does not depend on the coefficients
        ("gamma", "log"),
    )


@pytest.mark.parametrize("kind", ["firth", "mean"])
@every_case
def test_the_adjusted_score_vanishes_at_the_fit(family, link, kind):
    fit = model(family, link).fit(bias_reduction=kind)
    objective = AdjustedObjective(fit.likelihood, fit.model.source, np.ones(3, dtype=bool), kind, fit.scale)
    assert objective.evaluate(np.asarray(fit.params), ALL).decrement < 1e-18


@pytest.mark.parametrize("kind", ["firth", "mean"])
@settings(max_examples=15, deadline=None)
@given(units=st.lists(st.floats(-4.0, 4.0), min_size=2, max_size=2), seed=st.integers(0, 1000))
def test_units_and_row_order_change_nothing(kind, units, seed):
    A = np.array([[1.0, 0.0, 0.0], [0.3, 10.0 ** units[0], 0.2], [0.0, -0.5, 10.0 ** units[1]]])
    order = np.random.default_rng(seed).permutation(30)
    made = model("binomial", "cloglog")
    fit = made.fit(bias_reduction=kind)
    other = nf.GLM(made.endog[order], (X @ A)[order], family="binomial", link="cloglog", trials=np.full(30, 8.0))
    again = other.fit(bias_reduction=kind)
    np.testing.assert_allclose(A @ again.params, fit.params, rtol=1e-8)


def test_frequencies_trials_and_repeated_rows_agree():
    y, trials, freq = np.array([0.25, 0.5, 1.0]), np.array([4.0, 2.0, 3.0]), np.array([2.0, 1.0, 3.0])
    x = np.column_stack([np.ones(3), [0.0, 1.0, 2.0]])
    whole = nf.GLM(y, x, family="binomial", trials=trials, freq_weights=freq).fit(bias_reduction="firth")
    rows = np.repeat(np.arange(3), [2, 1, 3])
    np.testing.assert_allclose(
        nf.GLM(y[rows], x[rows], family="binomial", trials=trials[rows]).fit(bias_reduction="firth").params,
        whole.params,
        rtol=1e-9,
    )
    ones = np.repeat(rows, trials[rows].astype(int))
    outcomes = np.concatenate([np.arange(t) < s for t, s in zip(trials[rows], (y * trials)[rows], strict=True)])
    single = nf.GLM(outcomes.astype(float), x[ones], family="binomial").fit(bias_reduction="firth")
    np.testing.assert_allclose(single.params, whole.params, rtol=1e-9)


def test_a_saturated_table_gets_half_a_case_in_each_cell():
    # Firth (1993), section 3.1: logits of a saturated table are those of its counts plus one half; 0 of 10 included.
    successes, trials = np.array([0.0, 7.0]), np.array([10.0, 12.0])
    fit = nf.GLM(successes / trials, np.eye(2), family="binomial", trials=trials).fit(bias_reduction="firth")
    np.testing.assert_allclose(fit.params, np.log((successes + 0.5) / (trials - successes + 0.5)), rtol=1e-10)


def test_a_response_all_of_one_kind_still_has_an_estimate():
    model = nf.GLM(np.ones(6), np.ones((6, 1)), family="binomial")
    fit = model.fit(bias_reduction="firth")
    assert fit.params[0] == pytest.approx(np.log(6.5 / 0.5), rel=1e-10)
    with pytest.raises(ValueError, match="but by fit\\(bias_reduction='firth'\\)"):
        model.fit()


@pytest.mark.parametrize("link", ["cloglog", "loglog", "cauchit", "probit"])
@pytest.mark.parametrize("kind", ["firth", "mean"])
def test_nearly_separated_data_converge(kind, link):
    # plain scoring takes hundreds of steps here, and more
    for seed in (7, 15, 28, 42):
        rng = np.random.default_rng(seed)
        x = np.column_stack([np.ones(14), rng.normal(size=(14, 2))])
        y = (x @ [0.2, 2.0, -1.0] + 0.5 * rng.normal(size=14) > 0).astype(float)
        fit = nf.GLM(y, x, family="binomial", link=link).fit(bias_reduction=kind)
        assert fit.converged
        objective = AdjustedObjective(fit.likelihood, fit.model.source, np.ones(3, dtype=bool), kind)
        assert objective.evaluate(np.asarray(fit.params), ALL).decrement < 1e-18


def test_one_parameter_off_the_canonical_link():
    ones = np.ones((7, 1))
    # Poisson identity: F = n / mu, so Jeffreys' penalty is -log(mu) / 2 and the maximum lies 1 / (2n) below the mean.
    y = np.array([3.0, 5.0, 1.0, 2.0, 2.0, 0.0, 4.0])
    fit = nf.GLM(y, ones, family="poisson", link="identity").fit(bias_reduction="firth")
    assert fit.params[0] == pytest.approx(y.mean() - 1 / 14, rel=1e-10)
    # Probit: the adjusted score is n (p - Phi) phi / (Phi (1 - Phi)) - b / 2, as phi' / phi = -b.
    y = np.array([0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])

    def adjusted(b):
        return 7 * (y.mean() - norm.cdf(b)) * norm.pdf(b) / (norm.cdf(b) * norm.sf(b)) - b / 2

    fit = nf.GLM(y, ones, family="binomial", link="probit").fit(bias_reduction="mean")
    assert fit.params[0] == pytest.approx(brentq(adjusted, -3, 3, xtol=1e-14), rel=1e-10)


def test_a_free_dispersion_is_found_together_with_the_coefficients():
    fit = model("gaussian", "log").fit(bias_reduction="firth")
    residual = fit.model.endog - fit.fittedvalues
    assert fit.scale == pytest.approx((residual @ residual) / 27, rel=1e-12)
    held = model("gaussian", "log").fit(bias_reduction="firth", scale=fit.scale)
    np.testing.assert_allclose(held.params, fit.params, rtol=1e-10)
    units = nf.GLM(100.0 * fit.model.endog, X, link="log").fit(bias_reduction="firth")
    np.testing.assert_allclose(units.params - [np.log(100.0), 0, 0], fit.params, rtol=1e-9)


def test_an_aliased_column_is_left_out_of_the_penalty():
    fit = model("binomial", "logit").fit(bias_reduction="firth")
    more = model("binomial", "logit", X=np.column_stack([X, X[:, 1] - 2.0])).fit(bias_reduction="firth")
    np.testing.assert_allclose(more.params[:3], fit.params, rtol=1e-9)
    assert np.isnan(more.params[3])
    assert more.penalized_llf == pytest.approx(fit.penalized_llf, rel=1e-12)


def test_a_refit_reduces_bias_again_and_the_null_model_does_not():
    fit = model("binomial", "logit").fit(bias_reduction="firth")
    part = fit.model.refit(fit, columns=[0, 1])
    direct = nf.GLM(fit.model.endog, X[:, :2], family="binomial", trials=np.full(30, 8.0))
    np.testing.assert_allclose(part.params, direct.fit(bias_reduction="firth").params, rtol=1e-9)
    assert fit.null_deviance == pytest.approx(model("binomial", "logit").fit().null_deviance, rel=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bias_reduction": "median"}, "must be 'firth', 'mean' or None"),
        ({"bias_reduction": "mean", "optimizer": "natural_gradient"}, "leave optimizer out"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        model("poisson", "log").fit(**options)


def test_an_unknown_alpha_and_a_perfect_fit_are_refused():
    with pytest.raises(ValueError, match="bias reduction needs a known alpha"):
        model(nf.families.NegativeBinomial(alpha="ml"), "log").fit(bias_reduction="firth")
    with pytest.raises(ValueError, match="needs residual degrees of freedom"):
        nf.GLM([1.0, 2.0], np.eye(2), family="gamma").fit(bias_reduction="firth")
