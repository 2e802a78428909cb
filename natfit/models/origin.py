"""Where a model made from a formula came from: what it takes to make it again with another formula."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from natfit.data.numbers import is_pandas
from natfit.data.streams.tables import Tables

if TYPE_CHECKING:
    from natfit.models.glm import GLM


@dataclass(frozen=True)
class Origin:
    """The user's table, by reference, and the arguments given with it.

    Parameters
    ----------
    table
        No copy; of a pandas table its own view, so that what is written into the user's later is not seen.
    arguments : dict
        Of `natfit.GLM.from_formula`, but for formula, data and the names of the calling scope.
    """

    table: Any
    arguments: dict[str, Any]

    @classmethod
    def of(cls, table: Any, arguments: dict[str, Any]) -> Origin:
        """Remember a table and the arguments given with it."""
        if is_pandas(table):
            table = table.copy(deep=False)
        elif isinstance(table, Mapping):
            table = dict(table)
        return cls(table, arguments)

    @property
    def columns(self) -> list[str]:
        """The table's column names."""
        from natfit.data.table import Table

        return list(self.table.names) if isinstance(self.table, Tables) else list(Table(self.table))

    def only(self, kept: Any) -> dict[str, Any]:
        """Return the arguments that choose the rows that a model kept, of the whole table."""
        import numpy as np

        subset = self.arguments["subset"]
        if subset is None:
            return {"subset": kept}
        mask = np.asarray(subset)
        if mask.dtype != bool:
            return {"subset": mask[kept]}
        whole = np.zeros(len(mask), dtype=bool)
        whole[np.flatnonzero(mask)[kept]] = True
        return {"subset": whole}

    def rows(self, kept: Any) -> Any:
        """Return the table's rows that a model kept, as pandas, with all columns."""
        import numpy as np

        from natfit.data.table import Table
        from natfit.models.binding import subset_rows

        chosen = self.table
        if isinstance(chosen, Tables):
            raise ValueError(f"the rows of {chosen.what} are streamed and never held together; give a table as data=")
        if self.arguments["subset"] is not None:
            chosen = subset_rows(chosen, {}, self.arguments["subset"])[0]
        if not is_pandas(chosen):
            table = Table(chosen)
            import pandas as pd

            chosen = pd.DataFrame({name: table.column(name) for name in table})
        return chosen if kept is None else chosen.iloc[np.flatnonzero(kept)]


def updated(model: GLM, formula: str | None, context: Mapping[str, Any], **changed: Any) -> GLM:
    """Make a model again, with its formula edited and arguments changed.

    Parameters
    ----------
    model : GLM
    formula : str, optional
        ``.`` stands for what was there, as in R's ``update``.
    context : mapping
        Names that the formula may use, besides those that the old one used.
    **changed
        Arguments of `natfit.GLM.from_formula`, and ``data`` for another table.

    Raises
    ------
    ValueError
        If the model was not made from a formula, or the new formula can't be read.
    TypeError
        For an argument that from_formula does not have.
    """
    if model.origin is None or model.formula is None:
        raise ValueError(
            "only a model made from a formula and a table can be updated; make this one with GLM.from_formula, or choose "
            "columns of its design"
        )
    table = changed.pop("data", model.origin.table)
    for name in changed:
        if name not in model.origin.arguments:
            raise TypeError(f"update got an unexpected argument {name!r}")
    wanted = model.formula
    if formula is not None:
        from natfit.data.formulas.edit import edit_formula

        wanted = edit_formula(model.formula, formula, model.origin.columns)
    arguments = model.origin.arguments | changed
    return type(model)._from_table(wanted, table, ChainMap(dict(context), model.data.frozen.context), arguments)
