"""Parameters written to a file after each pass, so that a long optimization that was cut off goes on from there."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from natfit.optimize.objective import Objective, Point

Array = np.ndarray[Any, np.dtype[Any]]


class Checkpoint:
    """A file that holds the best parameters so far, replaced as a whole after each pass that raised the log-likelihood.

    Parameters
    ----------
    path : str or Path
    about : mapping
        What the parameters are of: a file that says otherwise is refused.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kept = Checkpoint(folder + "/fit.json", {"names": ["const"]})
    ...     kept.save(np.array([0.5]), -12.0, 3)
    ...     kept.read()
    array([0.5])
    """

    def __init__(self, path: str | Path, about: Mapping[str, Any]):
        self.path, self.about = Path(path), dict(about)
        self._best, self._failed = -np.inf, False
        if not self.path.parent.is_dir():
            raise ValueError(
                f"there is no folder {str(self.path.parent)!r} for the checkpoint; make it, or name another"
            )

    def read(self) -> Array | None:
        """Return the parameters in the file, or None where there is no file yet.

        Raises
        ------
        ValueError
            The file is no checkpoint, or one of something else: what differs is named.
        """
        if not self.path.exists():
            return None
        try:
            held = json.loads(self.path.read_text())
            params = np.array([float.fromhex(each) for each in held["params"]])
            about = held["about"]
        except (OSError, ValueError, KeyError, TypeError):
            raise ValueError(
                f"{str(self.path)!r} is no checkpoint of natfit's; name another file, or delete it"
            ) from None
        for name, own in self.about.items():
            if about.get(name) != own:
                raise ValueError(
                    f"the checkpoint {str(self.path)!r} is of another fit: {_apart(name, about.get(name), own)}; name "
                    "another file, or delete it"
                )
        return params

    def save(self, params: Array, loglik: float, passes: int) -> None:
        """Write parameters, unless better ones have been written; a disk that is full leaves the old file as it was."""
        if loglik < self._best:
            return
        self._best = loglik
        held = {
            "about": self.about,
            "loglik": loglik,
            "passes": passes,
            "params": [float(each).hex() for each in params],
        }
        temporary = None
        try:
            with tempfile.NamedTemporaryFile(
                "w", dir=self.path.parent, prefix=f".{self.path.name}.", delete=False
            ) as file:
                temporary = file.name
                json.dump(held, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except OSError as error:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
            if not self._failed:
                warnings.warn(
                    f"the checkpoint {str(self.path)!r} could not be written ({error.strerror}); the fit goes on, and "
                    "the last checkpoint that was written is as it was",
                    RuntimeWarning,
                    stacklevel=2,
                )
            self._failed = True

    def watching(self, objective: Objective) -> Any:
        """Return an objective that saves its parameters after each pass."""
        return _Watched(objective, self)


class _Watched:
    def __init__(self, objective: Any, checkpoint: Checkpoint):
        self._objective, self._checkpoint = objective, checkpoint

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objective, name)

    def evaluate(self, params: Array, need: int) -> Point:
        point = self._objective.evaluate(params, need)
        if point.inside:
            self._checkpoint.save(params, point.loglik, self._objective.passes)
        return point


def _apart(name: str, held: Any, own: Any) -> str:
    """Say in words in what two descriptions differ: of two lists, the entries that one of them alone has."""
    if not (isinstance(held, list) and isinstance(own, list)) or held == own:
        return f"its {name} is {_short(held)}, and here it is {_short(own)}"
    there, here = [each for each in held if each not in own], [each for each in own if each not in held]
    if not there and not here:
        return f"its {name} stand in another order"
    found = [f"it has {_short(there)}" if there else "", f"here there is {_short(here)}" if here else ""]
    return f"among its {name} " + ", and ".join(each for each in found if each)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
