"""Keeping a fit: one file without code or data, from which it predicts and prints."""

from __future__ import annotations

import os
from typing import Any

from natfit.results.broom import Tidy


class Keeping(Tidy):
    """Mixed into a fit that has a kind of stored form, ``stored_as``, and an ``_archive`` that writes it."""

    stored_as = ""

    def _archive(self) -> Any:
        """Return what saves this result; the models hand it over, so that results never import them."""
        raise NotImplementedError

    def save(self, fname: str | os.PathLike[str], remove_data: bool = True) -> None:
        """Write the fit to a file that `natfit.load` reads: a JSON header and arrays, without pickle or code.

        Parameters
        ----------
        fname : path-like
            Written at once or not at all: if the disk is full, an older file of that name stays as it was.
        remove_data : bool
            Kept for statsmodels' scripts: a saved fit never holds the rows of the data.

        Raises
        ------
        natfit.results.storage.StorageError
            A ValueError, if the fit holds what a file has no form for: a formula that calls methods of columns, a link
            of your own functions that is not registered.

        Notes
        -----
        Estimates, covariance, tests, predictions for new rows and the summary are the same to the last bit. What needs
        the rows (residuals, profiles, comparisons, other fits) says so. Functions of your own that the formula calls are
        saved by name and given again to `natfit.load`. `pickle` works on fits too, data and all, but for lambdas and
        functions defined inside others; a pickle runs code when it is read.
        """
        self._archive()(self, fname)
