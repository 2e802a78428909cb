"""What the laws of exponential families share: the families, exact expectations, parameters to try.

Expectations over one-dimensional supports are exact sums, or quadrature by the double exponential rule (Takahasi & Mori
1974) written here; over vectors and matrices they are averages over a large sample, with their standard errors.
"""

import math

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from natfit.families.base import ExponentialFamily
from natfit.families.registry import REGISTRY

ALL = [family for family in REGISTRY.examples() if isinstance(family, ExponentialFamily)]
SCALAR = [family for family in ALL if not family.support.event_shape]
VECTOR = [family for family in ALL if family.support.event_shape]
every_family = pytest.mark.parametrize("family", ALL, ids=repr)
scalar_family = pytest.mark.parametrize("family", SCALAR, ids=repr)
vector_family = pytest.mark.parametrize("family", VECTOR, ids=repr)


def grid(family, theta):
    """Observations (n,) and weights w (n,) with sum w f(y) = E[f] under home parameters theta (p,)."""
    support = family.support
    if support.discrete:
        y = np.arange(support.low, min(support.high, support.low + 4000) + 1)
        w = np.ones_like(y)
    else:
        y, w = _continuous_grid(family, theta)
    return y, w * np.exp(family.log_prob(y, theta))


def _continuous_grid(family, theta):
    low, high = family.support.low, family.support.high
    if family.name == "von_mises":
        y = np.linspace(low, high, 4001)[:-1]  # the trapezoidal rule on a period
        return y, np.full(y.size, (high - low) / y.size)
    t = np.arange(-4.0, 4.0, 1 / 128)
    step = 0.5 * math.pi * np.cosh(t) / 128
    with np.errstate(over="ignore", under="ignore"):
        u = np.exp(0.5 * math.pi * np.sinh(t))
    if np.isfinite(high):
        y = low + (high - low) * u / (1 + u)
        w = (high - low) * step * u / (1 + u) ** 2
    elif np.isfinite(low):
        scale = np.median(family.sample(theta, np.random.default_rng(0), 99)) - low
        y, w = low + scale * u, scale * step * u
    else:
        draws = family.sample(theta, np.random.default_rng(0), 99)
        center = getattr(family, "location", np.median(draws))
        scale = np.median(np.abs(draws - center))
        y = np.concatenate([center - scale * u[::-1], center + scale * u])
        w = np.concatenate([scale * (step * u)[::-1], scale * step * u])
    good = family.support.contains(y) & np.isfinite(family.log_prob(y, theta)) & np.isfinite(w)
    good &= family.log_prob(y, theta) > -700
    return y[good], w[good]


@st.composite
def parameters(draw, family):
    """Home parameters between the family's examples: the natural domain is convex."""
    eta = family.natural_from_home(family.example_parameters())
    weights = np.array(draw(st.lists(st.floats(0.0, 1.0), min_size=len(eta), max_size=len(eta)))) + 1e-3
    return family.home_from_natural(weights @ eta / weights.sum())


def law(max_examples=12):
    return settings(max_examples=max_examples, deadline=None, derandomize=True)


def close(actual, expected, tolerance, scale=1.0):
    np.testing.assert_array_less(np.abs(np.asarray(actual) - expected), tolerance * (np.abs(expected) + scale) + 1e-300)
