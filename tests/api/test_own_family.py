"""A user's own family, from its log-density alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

import natfit as nf
from natfit.families.interval import POSITIVE, UNIT
from natfit.families.support import POSITIVE as POSITIVE_NUMBERS
from natfit.families.support import UNIT as PROPORTIONS
from natfit.families.support import counts


class OwnGamma(nf.families.DistributionalFamily):
    name = "own_gamma"
    parameter_names = ("mean", "shape")
    domains = (POSITIVE, POSITIVE)
    support = POSITIVE_NUMBERS

    def log_prob(self, y: Any, theta: Any) -> Any:
        mean, shape = theta
        return shape * np.log(shape * y / mean) - shape * y / mean - special.gammaln(shape) - np.log(y)


class OwnNegativeBinomial(nf.families.DistributionalFamily):
    name = "own_negative_binomial"
    parameter_names = ("mean", "alpha")
    domains = (POSITIVE, POSITIVE)
    support = counts(0)

    def log_prob(self, y: Any, theta: Any) -> Any:
        mean, alpha = theta
        r = 1.0 / alpha
        rising = special.gammaln(y + r) - special.gammaln(r) - special.gammaln(y + 1.0)
        return rising + special.xlogy(y, mean / (r + mean)) + r * np.log(r / (r + mean))


class OwnBeta(nf.families.DistributionalFamily):
    name = "own_beta"
    parameter_names = ("mean", "precision")
    domains = (UNIT, POSITIVE)
    support = PROPORTIONS

    def log_prob(self, y: Any, theta: Any) -> Any:
        mean, precision = theta
        a, b = mean * precision, (1.0 - mean) * precision
        return (a - 1.0) * np.log(y) + (b - 1.0) * np.log1p(-y) - special.betaln(a, b)


def responses(name: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=120)
    drawn = {
        "gamma": rng.gamma(2.0, np.exp(0.3 * x)),
        "negative_binomial": rng.poisson(rng.gamma(2.0, np.exp(1.0 + 0.3 * x))).astype(float),
        "beta": rng.beta(2.0, 3.0 * np.exp(0.2 * x)),
    }
    return np.column_stack([np.ones(120), x]), drawn[name]


@pytest.mark.parametrize(
    ("own", "name"), [(OwnGamma(), "gamma"), (OwnNegativeBinomial(), "negative_binomial"), (OwnBeta(), "beta")]
)
def test_it_reproduces_the_built_in_family(own: Any, name: str) -> None:
    X, y = responses(name)
    ours = nf.DistributionalRegression(y, {"mean": X, own.parameter_names[1]: X}, own).fit()
    theirs = nf.DistributionalRegression(y, {"mean": X, own.parameter_names[1]: X}, name).fit()
    np.testing.assert_allclose(ours.params, theirs.params, rtol=1e-6, atol=1e-8)
    for kind in ("expected", "observed"):
        np.testing.assert_allclose(
            ours.cov_params(information=kind), theirs.cov_params(information=kind), rtol=1e-6, atol=1e-9
        )
    assert ours.llf == pytest.approx(theirs.llf, rel=1e-10)
    assert "differentiation and quadrature" in ours.information
    np.testing.assert_allclose(ours.predict(), theirs.predict(), rtol=1e-6)
    np.testing.assert_allclose(ours.quantile(None, 0.8)[:5], theirs.quantile(None, 0.8)[:5], rtol=1e-6)


def test_standard_errors_of_a_precise_law_keep_six_digits() -> None:
    """Log-densities of some thousands and second differences of them: rounding shows here first."""
    gasoline = nf.datasets.load("gasoline")
    formulas = {"mean": "yield ~ C(batch) + temp", "precision": "~ temp"}
    ours = nf.DistributionalRegression.from_formula(formulas, gasoline, family=OwnBeta()).fit()
    theirs = nf.DistributionalRegression.from_formula(formulas, gasoline, family="beta").fit()
    for kind in ("expected", "observed"):
        found, exact = (np.sqrt(np.diag(fit.cov_params(information=kind))) for fit in (ours, theirs))
        np.testing.assert_allclose(found, exact, rtol=1e-6)


def test_the_report_of_a_right_family() -> None:
    report = nf.families.check(OwnBeta())
    assert report.ok, str(report)
    assert "all laws hold" in str(report)
    report.raise_if_wrong()


class Unnormalised(OwnGamma):
    def log_prob(self, y: Any, theta: Any) -> Any:
        return super().log_prob(y, theta) + 0.01


class WrongScore(OwnGamma):
    def score(self, y: Any, theta: Any) -> Any:
        first, second = super().score(y, theta)
        return [first, 1.01 * second]


class WrongFisher(OwnGamma):
    def fisher(self, y: Any, theta: Any) -> Any:
        found = super().fisher(y, theta)
        return {**found, (0, 0): 1.01 * found[0, 0]}


class WrongMean(OwnGamma):
    def mean(self, theta: Any) -> Any:
        return 1.01 * theta[0]


class WrongDraws(OwnGamma):
    def sample(self, theta: Any, rng: Any) -> Any:
        return rng.gamma(theta[1], 1.5 * theta[0] / theta[1])


@pytest.mark.parametrize(
    ("family", "law"),
    [
        (Unnormalised(), "add up to 1"),
        (WrongScore(), "the score is the gradient"),
        (WrongFisher(), "Fisher information"),
        (WrongMean(), "mean and variance"),
        (WrongDraws(), "draws follow"),
    ],
    ids=["mass", "score", "fisher", "mean", "draws"],
)
def test_the_report_of_a_wrong_family(family: Any, law: str) -> None:
    report = nf.families.check(family)
    broken = [each.name for each in report.laws if not each.holds]
    assert any(law in name for name in broken), str(report)
    with pytest.raises(ValueError, match="breaks"):
        report.raise_if_wrong()


class WrongDistribution(OwnGamma):
    """Draws and quantiles are derived from ``cdf``, and so agree with it, however wrong it is."""

    def cdf(self, y: Any, theta: Any) -> Any:
        return special.gammainc(1.01 * theta[1], theta[1] * y / theta[0])

    def quantile(self, level: Any, theta: Any) -> Any:
        return theta[0] / theta[1] * special.gammaincinv(1.01 * theta[1], level)


class Totals(OwnGamma):
    def log_prob(self, y: Any, theta: Any) -> Any:
        return super().log_prob(y, theta).sum()


class Average(OwnGamma):
    def log_prob(self, y: Any, theta: Any) -> Any:
        each = super().log_prob(y, theta)
        return each - each.mean()


class WrongCounts(OwnNegativeBinomial):
    """Zeros have mass, but the support begins at 1."""

    support = counts(1)


@pytest.mark.parametrize(
    ("family", "law"),
    [
        (WrongDistribution(), "the distribution function adds up the density"),
        (Totals(), "log_prob is row by row"),
        (Average(), "log_prob is row by row"),
        (WrongCounts(), "probabilities add up to 1"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_faults_that_hide_from_other_laws(family: Any, law: str) -> None:
    report = nf.families.check(family)
    assert law in [each.name for each in report.laws if not each.holds]


def test_what_cannot_be_checked_is_refused_in_one_sentence() -> None:
    class OneByOne(OwnGamma):
        def log_prob(self, y: Any, theta: Any) -> Any:
            return super().log_prob(y, theta) if y > 0 else -np.inf

    class Bare(nf.families.DistributionalFamily):
        def log_prob(self, y: Any, theta: Any) -> Any:
            return -y

    with pytest.raises(
        ValueError, match=r"log_prob of the family own_gamma must take arrays.*with np.where in place of if"
    ):
        nf.families.check(OneByOne())
    with pytest.raises(ValueError, match="the family Bare needs the attribute"):
        nf.families.check(Bare())
    with pytest.raises(ValueError, match="has several columns"):
        nf.families.check("dirichlet")


def test_names_and_classes_will_do() -> None:
    assert nf.families.check(OwnGamma).ok
    assert nf.families.check("von_mises").ok
    assert nf.families.check(nf.families.get("gamma")).ok
