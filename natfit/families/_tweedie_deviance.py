"""Half the Tweedie unit deviance, the integral of (y - t) t^-p from the mean to y, and its derivatives in the power."""

from __future__ import annotations

import numpy as np

from natfit.families.interval import Array

_NEAR = 3.0
"""Logarithm of y / mu up to which the integral is computed as one; beyond, its closed form has lost at most four digits of
its first derivative's in the power at powers of 1.0001 and 1.9999."""
_NODES, _WEIGHTS = (
    0.5 * (each + shift) for each, shift in zip(np.polynomial.legendre.leggauss(16), (1.0, 0.0), strict=True)
)

Power = float | Array


def half_deviance(y: Array, mu: Array, power: Power, order: int = 0) -> list[Array]:
    """Return half the unit deviance and as many of its derivatives in the power as ``order`` says.

    With t = mu exp(x) the integrals of (y - t) t^-p (-log t)^k are mu^(2-p) times those of
    (exp(L) - exp(x)) exp((1-p) x) x^k over x from 0 to L = log(y / mu). Near the mean these are taken by Gauss-Legendre
    quadrature, so that no digits cancel; elsewhere they are written out.
    """
    positive = y > 0.0
    log_mean = np.log(mu)
    span = np.log(np.where(positive, y, mu)) - log_mean
    at_zero = [1.0 / (2.0 - power), -1.0 / (2.0 - power) ** 2, 2.0 / (2.0 - power) ** 3]
    plain = [np.where(positive, own, zero) for own, zero in zip(integrals(span, power, order), at_zero, strict=False)]
    scale = mu ** (2.0 - power)
    found = [scale * plain[0]]
    if order >= 1:
        found.append(-scale * (plain[1] + log_mean * plain[0]))
    if order >= 2:
        found.append(scale * (plain[2] + log_mean * (2.0 * plain[1] + log_mean * plain[0])))
    return found


def integrals(span: Array, power: Power, order: int) -> list[Array]:
    """Return the integrals of (exp(L) - exp(x)) exp((1-p) x) x^k over x from 0 to L, ``span``, for k = 0 ... order."""
    near = np.abs(span) < _NEAR
    if near.all():
        return _by_quadrature(span, power, order)
    power = np.broadcast_to(power, span.shape)
    found = np.empty((order + 1, *span.shape))
    found[:, near] = _by_quadrature(span[near], power[near], order)
    far, rest = span[~near], power[~near]
    first, second = _moments(far, 1.0 - rest, far, order), _moments(far, 2.0 - rest, 0.0, order)
    found[:, ~near] = [one - two for one, two in zip(first, second, strict=True)]
    return list(found)


def _by_quadrature(span: Array, power: Power, order: int) -> list[Array]:
    found = [np.zeros_like(span) for _ in range(order + 1)]
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        term = weight * np.expm1((1.0 - node) * span) * np.exp((2.0 - power) * node * span)
        for k in range(order + 1):
            found[k] += node**k * term
    return [total * span ** (k + 1) for k, total in enumerate(found)]


def _moments(span: Array, rate: Array, lift: Array | float, order: int) -> list[Array]:
    """Return the integrals of exp(lift + rate x) x^k over x from 0 to ``span``, by parts."""
    end = np.exp(lift + rate * span)
    found = [(end - np.exp(lift)) / rate]
    for k in range(1, order + 1):
        found.append((span**k * end - k * found[-1]) / rate)
    return found
