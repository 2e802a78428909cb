"""What statsmodels' families and links become, and a user's own links: right numbers, or a refusal in one sentence."""

import numpy as np
import pytest

from natfit.families import links

# --- a link from a user's functions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("functions", "ranges", "message"),
    [
        (
            (np.log, lambda eta: np.exp(2 * eta), lambda eta: 2 * np.exp(2 * eta)),
            {},
            r"link\(inverse\(eta\)\) is -4\.6 at",
        ),
        ((np.log, np.exp, lambda eta: 2 * np.exp(eta)), {}, r"derivative\(eta\) is .* at eta = -2\.3 .*off by"),
        ((np.sqrt, np.square, lambda eta: 2 * eta), {}, "predictor_range on which they hold"),
        ((np.log, np.exp, np.exp), {"mean_range": (0, 1)}, r"gives the mean 1\.\d* at the predictor 0\.11, outside"),
        ((np.log, np.exp, np.exp), {"second_derivative": np.negative}, r"second_derivative\(eta\) is 2\.3 at"),
        ((np.log, np.exp, np.exp), {"name": "log"}, "choose another name"),
    ],
)
def test_functions_that_do_not_belong_together_are_refused(functions, ranges, message):
    with pytest.raises(ValueError, match=message) as refusal:
        links.from_functions(*functions, **ranges)
    assert str(refusal.value).count("\n") == 0


def _steep(eta):
    return 1 / (1 + np.exp(-40 * eta))


@pytest.mark.parametrize(
    ("functions", "ranges"),
    [
        ((np.sqrt, np.square, lambda eta: 2 * eta), {"mean_range": (0, np.inf), "predictor_range": (0, np.inf)}),
        ((np.log, np.exp, np.exp), {"mean_range": (0, 1), "predictor_range": (-np.inf, 0)}),
        ((lambda mu: 1e6 * mu, lambda eta: 1e-6 * eta, lambda eta: 1e-6), {}),
        (
            (lambda mu: np.log(mu / (1 - mu)) / 40, _steep, lambda eta: 40 * _steep(eta) * _steep(-eta)),
            {"mean_range": (0, 1)},
        ),
    ],
)
def test_functions_that_belong_together_are_taken(functions, ranges):
    links.from_functions(*functions, **ranges)


def test_a_limit_is_that_of_the_ranges_where_the_functions_clip():
    def clipped(mu):
        mu = np.clip(mu, 1e-16, 1 - 1e-16)
        return np.log(mu / (1 - mu))

    def inverse(eta):
        return 1 / (1 + np.exp(-eta))

    link = links.from_functions(clipped, inverse, lambda eta: inverse(eta) * inverse(-eta), mean_range=(0, 1))
    assert (link.limit(0.0), link.limit(1.0)) == (-np.inf, np.inf)
