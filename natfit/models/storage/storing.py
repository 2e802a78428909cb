"""Saving fits to files and loading them: which kinds of results there are, and what turns each into plain data.

A kind is a module with ``CLASSES`` (dataclasses and named tuples that its tree holds), ``to_plain(result)`` and
``from_plain(tree, trusted)``, entered in `KINDS`; its results have ``stored_as``, the kind's name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from natfit._version import __version__
from natfit.results.storage import Decoder, Encoder, StorageError, read, write
from natfit.results.storage.plain import kinds

KINDS = {
    "glm": "natfit.models.storage.glm",
    "distribution": "natfit.models.storage.distribution",
    "distributional": "natfit.models.storage.distributional",
    "mixture": "natfit.models.storage.mixture",
    "mixture_regression": "natfit.models.storage.mixture_regression",
}
"""The module of each kind of result."""


def save(result: Any, path: str | os.PathLike[str]) -> None:
    """Write a fit to a file, at once or not at all; see `natfit.GLMResults.save`."""
    module = import_module(KINDS[result.stored_as])
    encoder = Encoder(kinds(module.CLASSES))
    tree = encoder(module.to_plain(result))
    write(path, {"natfit": __version__, "kind": result.stored_as, "fit": tree}, encoder.arrays)


def load(path: str | os.PathLike[str], trusted_functions: Mapping[str, Callable[..., Any]] | None = None) -> Any:
    """Read a fit that ``fit.save`` wrote: it predicts and prints as the fit did, without the data.

    Parameters
    ----------
    path : path-like
    trusted_functions : mapping of str to callable, optional
        The functions of your own that the formula calls, by the names it has for them. natfit's and NumPy's need not be
        given; a file never brings code along, and nothing in it is run.

    Returns
    -------
    A result of the kind that was saved: GLMResults, DistributionResults, MixtureResults ...
        Estimates, covariances, tests, predictions for new rows and the summary, to the last bit. What needs the rows of
        the data, residuals or another fit, says so.

    Raises
    ------
    StorageError
        A ValueError: the file is no saved fit, of a newer format, cut short or damaged, or its formula does more than
        transform columns by listed functions.

    Examples
    --------
    >>> import tempfile, os
    >>> import natfit as nf
    >>> crabs = nf.datasets.load("crabs")
    >>> fit = nf.GLM.from_formula("sat ~ log(width)", crabs, family="poisson").fit()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "crabs.natfit")
    ...     fit.save(path)
    ...     again = load(path)
    >>> bool((again.predict(crabs) == fit.predict(crabs)).all())
    True
    """
    header, arrays = read(path)
    kind = header.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise StorageError(f"{str(path)!r} holds a fit of kind {kind!r:.60}, which this natfit does not know")
    module = import_module(KINDS[kind])
    try:
        tree = Decoder(arrays, kinds(module.CLASSES))(header["fit"])
        return module.from_plain(tree, dict(trusted_functions or {}))
    except StorageError as error:
        raise StorageError(f"{str(path)!r} can't be loaded: {error}") from None
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        # Whatever a forged header makes of the constructors above: it is not a fit.
        raise StorageError(
            f"{str(path)!r} does not hold what a saved fit holds: {type(error).__name__}: {error}"
        ) from error
