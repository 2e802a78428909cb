"""Smooth maps from coordinates to home parameters, with their Jacobians."""

from natfit.parametrizations.affine import Affine, Identity
from natfit.parametrizations.base import OffImageError, Parametrization, SingularParametrizationError
from natfit.parametrizations.checking import ParametrizationReport, check
from natfit.parametrizations.cholesky import Cholesky, Inverse, LogCholesky
from natfit.parametrizations.composed import Composed
from natfit.parametrizations.fixed import Fixed, Tied
from natfit.parametrizations.from_function import from_function
from natfit.parametrizations.log import Log
from natfit.parametrizations.logit import Logit
from natfit.parametrizations.packing import pack, unpack_lower, unpack_symmetric
from natfit.parametrizations.power import Power
from natfit.parametrizations.product import Product
from natfit.parametrizations.softmax import Softmax

__all__ = [
    "Affine",
    "Cholesky",
    "Composed",
    "Fixed",
    "Identity",
    "Inverse",
    "Log",
    "LogCholesky",
    "Logit",
    "OffImageError",
    "Parametrization",
    "ParametrizationReport",
    "Power",
    "Product",
    "SingularParametrizationError",
    "Softmax",
    "Tied",
    "check",
    "from_function",
    "pack",
    "unpack_lower",
    "unpack_symmetric",
]
