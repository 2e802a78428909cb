"""Which sums one pass over the data is asked for: flags, combined with ``|``.

Plain integers rather than an ``IntFlag``: they are tested once for every block, and a fit of a hundred rows is
to take less than half a millisecond.
"""

LOGLIK = 1
"""The log-likelihood at unit dispersion, without what is free of the parameters."""
SCORE = 2
"""The gradient of the log-likelihood."""
METRIC = 4
"""The expected Fisher information."""
OBSERVED = 8
"""The observed information: minus the Hessian of the log-likelihood."""
MEAT = 16
"""The sum of outer products of the rows' scores (the empirical Fisher information)."""
FACTOR = 32
"""Hold the expected information as a triangular factor instead of a Gram matrix."""
COMPLETE = 64
"""The complete data's sums as they are expected given the rows: what a step of EM is made of."""

ALL = LOGLIK | SCORE | METRIC
"""What one step of Fisher scoring needs."""
