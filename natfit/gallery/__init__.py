"""The textbook gallery: scripts that fit what books printed, run cell by cell, and told beside the books' numbers.

The scripts are those of the repository's ``examples`` folder, installed as ``natfit.examples``. Each compares what it
fits with a `Book`; `run` executes one, `page` writes what was run as one self-contained HTML page.
"""

from __future__ import annotations

from natfit.gallery.book import Book, Comparison
from natfit.gallery.cells import Cell, read_cells
from natfit.gallery.page import page
from natfit.gallery.running import Run, agreement, names, path, run, title

__all__ = ["Book", "Cell", "Comparison", "Run", "agreement", "names", "page", "path", "read_cells", "run", "title"]
