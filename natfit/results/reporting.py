"""A page about a fit, as a method of every result."""

from __future__ import annotations

import os
from pathlib import Path


class Reported:
    """Mixed into a fit: one self-contained HTML page of all that can be shown of it."""

    def report(self, path: str | os.PathLike[str], title: str | None = None, *, invariance: bool | None = None) -> Path:
        """Write a page with the summary, figures, influential rows, the convergence record and what is invariant.

        Parameters
        ----------
        path : str or path
            The HTML file to write; it needs nothing from elsewhere.
        title : str, optional
            The page's heading; the summary's by default.
        invariance : bool, optional
            Whether to measure, on these data, what depends on the parametrization. By default for converged GLMs of
            up to 20,000 rows.

        Returns
        -------
        pathlib.Path
            Where it was written.

        Raises
        ------
        ImportError
            Where matplotlib is missing; the message names the extra to install.
        OSError
            Where the file can't be written.
        """
        from natfit.diagnostics.fit_report import write_report

        return write_report(self, path, title, invariance)
