"""Methods of scipy.optimize as optimizers, with an outcome and a record like natfit's own, to be raced beside them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from natfit.metric import SingularMetric
from natfit.need import LOGLIK, METRIC, OBSERVED, SCORE
from natfit.optimize.loop import Outcome, OutsideDomain
from natfit.optimize.objective import Objective, Point, scaled
from natfit.optimize.record import Record, Row
from natfit.optimize.stopping import Decrement, Stop, Verdict

Array = np.ndarray[Any, np.dtype[Any]]

WITHOUT_GRADIENT = ("Nelder-Mead", "Powell", "COBYLA")
WITH_GRADIENT = ("CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP")
WITH_HESSIAN = ("Newton-CG", "dogleg", "trust-ncg", "trust-krylov", "trust-exact")
METHODS = (*WITHOUT_GRADIENT, *WITH_GRADIENT, *WITH_HESSIAN)

SMALLEST_TOLERANCE = {"COBYLA": 1e-12}
"""Where the method refuses a tolerance of 0."""

WANT_FINITE = ("L-BFGS-B", "TNC")
"""Methods whose line search gives up at an infinite value."""

FAR = 1e3
"""How far under the log-likelihood of the last iterate, relative to it, these see it lie outside the domain."""

HESSIANS = {"expected": (METRIC, "metric"), "observed": (OBSERVED, "observed")}


class ScipyMethod:
    """A method of `scipy.optimize.minimize`, run on minus the log-likelihood.

    The stopping rule is natfit's, asked after every iteration, so that runs of different optimizers end at the same
    event. What is watched for the record (decrement and
    metric at each iterate) is left out of its passes and seconds. Outside the domain the method sees an infinite value
    (L-BFGS-B and TNC, which can't take one, a large one).

    Parameters
    ----------
    method : str
        One of ``METHODS``, in any case.
    hessian : {"expected", "observed"}
        What stands for the Hessian, for methods that want one.
    name : str, optional
        What tables and plots call it; the method's name by default.
    tol : float, optional
        The method's own tolerance; by default the smallest that it takes.
    **options
        Options of the method.

    Raises
    ------
    ValueError
        If there is no such method.
    """

    def __init__(
        self, method: str = "BFGS", hessian: str = "expected", name: str = "", tol: float | None = None, **options: Any
    ):
        known = {each.lower(): each for each in METHODS}
        if method.lower() not in known:
            raise ValueError(f"unknown method {method!r} of scipy.optimize: choose one of {', '.join(METHODS)}")
        if hessian not in HESSIANS:
            raise ValueError(f"unknown hessian {hessian!r}: choose one of {', '.join(HESSIANS)}")
        self.method = known[method.lower()]
        self.hessian = hessian
        self.name = name or self.method
        self.tol = SMALLEST_TOLERANCE.get(self.method, 0.0) if tol is None else tol
        self.options = options

    def run(
        self,
        objective: Objective,
        start: Array,
        stop: Stop | None = None,
        max_iterations: int = 100,
        callback: Callable[[Row], Any] | None = None,
    ) -> Outcome:
        """Maximize an objective from ``start``; arguments and outcome as for `natfit.optimize.maximize`.

        In the record ``step`` is NaN, since these methods have no direction of which it could be a multiple, and ``kl``
        is half the quadratic form of what was moved.
        """
        return _Run(self, objective, stop or Decrement(), max_iterations, callback).to_the_end(start)

    def __repr__(self) -> str:
        return f"scipy_method({self.method!r})"


def scipy_method(
    method: str = "BFGS", hessian: str = "expected", name: str = "", tol: float | None = None, **options: Any
) -> ScipyMethod:
    """Return a method of `scipy.optimize.minimize` as an optimizer; see `ScipyMethod`.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.data.arrays import ArraySource
    >>> from natfit.data.block import Block
    >>> from natfit.families import Poisson
    >>> from natfit.likelihoods.distribution import DistributionLikelihood
    >>> from natfit.optimize import LikelihoodObjective, run
    >>> source = ArraySource(Block({}, {"y": np.array([1.0, 3.0, 2.0])}))
    >>> found = run(scipy_method("BFGS"), LikelihoodObjective(DistributionLikelihood(Poisson()), source), [1.0])
    >>> found.converged, found.params.round(4)
    (True, array([2.]))
    """
    return ScipyMethod(method, hessian, name, tol, **options)


class _Ended(Exception):
    """The stopping rule is content, or iterations have run out."""

    def __init__(self, converged: bool, reason: str):
        super().__init__(reason)
        self.converged, self.reason = converged, reason


class _Run:
    """One run of a method."""

    def __init__(
        self,
        method: ScipyMethod,
        objective: Objective,
        stop: Stop,
        max_iterations: int,
        callback: Callable[[Row], Any] | None,
    ):
        self.method, self.objective, self.stop = method, objective, stop
        self.max_iterations, self.callback = max_iterations, callback
        self.record = Record()
        self.watching = 0
        self.point: Point
        self.decrement = np.nan
        self._flag, self._held = HESSIANS[method.hessian]
        self._need = LOGLIK
        if method.method not in WITHOUT_GRADIENT:
            self._need |= SCORE
        if method.method in WITH_HESSIAN:
            self._need |= self._flag
        self._last: Point | None = None

    def to_the_end(self, start: Array) -> Outcome:
        start = np.array(start, dtype=float)
        self._watch(start)
        if not self.point.inside:
            raise OutsideDomain("the start lies outside the model's domain: its log-likelihood is not finite")
        try:
            self._check()
            ended = self._minimize(start)
        except _Ended as end:
            ended = end
        except KeyboardInterrupt:
            ended = _Ended(False, "interrupted from the keyboard; the last good parameters are kept")
        except (SingularMetric, np.linalg.LinAlgError) as trouble:
            ended = _Ended(False, f"stopped because {trouble}")
        self._note(None)
        return Outcome(self.point.params, self.point, ended.converged, ended.reason, self.decrement, self.record, None)

    def _minimize(self, start: Array) -> _Ended:
        from scipy.optimize import minimize

        method = self.method
        arguments: dict[str, Any] = {}
        if self._need & SCORE:
            arguments["jac"] = lambda x: -self._at(x).score
        if self._need & self._flag:
            arguments["hess"] = lambda x: self._at(x).sums[self._held].matrix_form()
        most = {"maxfun": 100 * self.max_iterations} if method.method == "TNC" else {"maxiter": self.max_iterations + 1}
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)  # steps outside the domain are part of the game
            found = minimize(
                lambda x: -self._at(x).loglik,
                start,
                method=method.method,
                tol=method.tol,
                callback=self._each,
                options={**most, **method.options},
                **arguments,
            )
        if not np.array_equal(found.x, self.point.params):
            self._move_to(found.x)
        return self._verdict_at_the_end(str(found.message))

    def _verdict_at_the_end(self, message: str) -> _Ended:
        verdict = None
        if np.isfinite(self.decrement):
            verdict = self.stop.check(self.point, self.decrement, self.record)
            verdict = verdict or self.stop.at_rounding(self.point, self.decrement)
        if verdict is not None:
            return _Ended(*verdict)
        return _Ended(
            False, f"{self.method.name} ended by itself at a decrement of {self.decrement:.2g}: {message.rstrip('.')}"
        )

    def _at(self, x: Array) -> Point:
        """Return the point that the method asks for; value, gradient and Hessian at one x are one pass."""
        if self._last is None or not np.array_equal(self._last.params, x):
            point = self.objective.evaluate(np.array(x, dtype=float), self._need)
            self._last = point if point.inside else self._outside(point.params)
        return self._last

    def _outside(self, params: Array) -> Point:
        """Return what the method is shown outside the domain: nothing that it could take for an optimum."""
        finite = self.method.method in WANT_FINITE
        loglik = self.point.loglik - FAR * (1.0 + abs(self.point.loglik)) if finite else -np.inf
        score = np.full_like(params, 0.0 if finite else np.nan)
        return Point(params, {"loglik": loglik, "score": score, self._held: self.point.metric})

    def _each(self, x: Array, *_: Any) -> None:
        """Take note of an iteration; the method calls it."""
        self._move_to(x)
        self._check()
        if len(self.record) >= self.max_iterations:
            raise _Ended(False, f"no convergence within {self.max_iterations} iterations")

    def _move_to(self, x: Array) -> None:
        before = self.point
        self._watch(np.array(x, dtype=float))
        if not self.point.inside:
            self.point = before
            raise _Ended(False, f"diverged: {self.method.name} led out of the domain")
        now, self.point = self.point, before
        self._note(now.params - before.params)
        self.point = now
        self._weigh()

    def _check(self) -> None:
        self._weigh()
        verdict: Verdict | None = self.stop.check(self.point, self.decrement, self.record)
        if verdict is not None:
            raise _Ended(*verdict)

    def _weigh(self) -> None:
        try:
            self.decrement = self.point.decrement
        except SingularMetric:
            self.decrement = np.nan

    def _watch(self, x: Array) -> None:
        """Evaluate what the record wants, at no cost to the method."""
        began, passes = time.perf_counter(), self.objective.passes
        self.point = self.objective.evaluate(x, LOGLIK | SCORE | METRIC | self.stop.need)
        self.watching += self.objective.passes - passes
        self.record.leave_out(time.perf_counter() - began)

    def _note(self, moved: Array | None) -> None:
        kl = 0.0 if moved is None else scaled(0.5 * self.point.metric.quadratic(moved), self.point.dispersion)
        step = 0.0 if moved is None else np.nan
        passes = self.objective.passes - self.watching
        row = self.record.note(self.point.loglik, self.decrement, step, kl, passes, self.method.name)
        if self.callback is not None:
            self.callback(row)
