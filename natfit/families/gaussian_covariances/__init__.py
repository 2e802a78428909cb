"""Covariances of K Gaussian components that share volume, shape or orientation: fourteen models, three letters each."""

from natfit.families.gaussian_covariances.coordinates import CovarianceCoordinates
from natfit.families.gaussian_covariances.models import ALIASES, MODELS, CovarianceModel, resolve
from natfit.parametrizations.packing import lower_indices, pack, symmetric_product, unpack_symmetric

__all__ = [
    "ALIASES",
    "MODELS",
    "CovarianceCoordinates",
    "CovarianceModel",
    "lower_indices",
    "pack",
    "resolve",
    "symmetric_product",
    "unpack_symmetric",
]
