"""natfit's warnings: each is a statsmodels warning too, so that filters written for those catch them."""

from statsmodels.tools.sm_exceptions import ConvergenceWarning as _ConvergenceWarning
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning as _PerfectSeparationWarning


class ConvergenceWarning(_ConvergenceWarning):
    """The optimizer ended before it reached the maximum; the message says why."""


class SeparationWarning(_PerfectSeparationWarning):
    """The likelihood rises for ever along some coefficients, so their estimates are not finite."""


class LocalMaximumWarning(UserWarning):
    """Only one of several starts reached the best maximum, so there may be a better one."""


class DegeneracyWarning(UserWarning):
    """A mixture's maximum is none inside the model: a weight at zero, merged components, a collapsed covariance."""
