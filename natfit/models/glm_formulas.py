"""A generalized linear model made from a formula and a table, and made again from another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from natfit.data.streams.tables import Tables
from natfit.models import binding
from natfit.models.origin import Origin, updated

if TYPE_CHECKING:
    from natfit.models.data import GLMData
    from natfit.models.glm import GLM


class GLMFormulas:
    """Mixed into a model: what makes it from a formula, and what it remembers of that."""

    if TYPE_CHECKING:
        data: GLMData

        def _set_up(self, bound: GLMData, family: Any, link: Any, dispersion: Any, n_jobs: int | None) -> None: ...

    formula: str  # of a model made from one; statsmodels' tools ask whether it is there
    origin: Origin | None = None

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        subset: Any = None,
        drop_cols: Any = None,
        *args: Any,
        family: Any = None,
        offset: Any = None,
        exposure: Any = None,
        freq_weights: Any = None,
        var_weights: Any = None,
        missing: str = "drop",
        link: Any = None,
        trials: Any = None,
        dispersion: float | str | None = None,
        n_jobs: int | None = None,
        eval_env: int = 0,
        **kwargs: Any,
    ) -> Self:
        """Make a model from a formula and a table.

        Parameters
        ----------
        formula : str
            As formulaic reads it: ``"sat ~ width + C(color)"``. Functions of the calling scope may be used.
        data : pandas or polars DataFrame, or mapping of arrays
        subset : array_like, optional
            Boolean mask or labels of the rows to use.
        drop_cols : sequence of str, optional
            Columns of the design to leave out.
        offset, exposure, freq_weights, var_weights, trials : str or array_like, optional
            A column's name, a formula expression such as ``"log(service)"``, or an array of its own.
        missing : {"drop", "raise", "none"}
            Rows with a missing value in anything that the model uses are dropped by default; the table says how many.
        family, link, dispersion, n_jobs
            As for the class.

        Notes
        -----
        A response of two strings, categories or booleans is 1 for the second level (True), as in R; the table names it.
        """
        context = binding.caller_namespace(2 + int(eval_env))
        trials = kwargs.pop("n_trials", None) if trials is None else trials
        if args or kwargs:
            raise TypeError(f"from_formula got an unexpected argument {next(iter(kwargs), args)!r}")
        arguments = {
            "subset": subset,
            "drop_cols": drop_cols,
            "missing": missing,
            "family": family,
            "link": link,
            "dispersion": dispersion,
            "n_jobs": n_jobs,
            "offset": offset,
            "exposure": exposure,
            "freq_weights": freq_weights,
            "var_weights": var_weights,
            "trials": trials,
        }
        return cls._from_table(formula, data, context, arguments)

    @classmethod
    def _from_table(cls, formula: str, table: Any, context: Mapping[str, Any], arguments: dict[str, Any]) -> Self:
        """Make a model from a formula, a table and `from_formula`'s other arguments, and remember them."""
        formula = formula or getattr(table, "formula", None) or ""
        known = dict(arguments)
        family, link, dispersion, n_jobs = (known.pop(name) for name in ("family", "link", "dispersion", "n_jobs"))
        table = table.on_threads(n_jobs) if isinstance(table, Tables) else table
        missing, subset, drop_cols = (known.pop(name) for name in ("missing", "subset", "drop_cols"))
        bound = binding.from_formula(formula, table, known, missing, subset, drop_cols, context)
        model = cls.__new__(cls)
        model._set_up(bound, family, link, dispersion, n_jobs)
        model.formula = formula
        model.origin = Origin.of(table, arguments)
        model.data.frame = model.origin.table
        return model

    def updated(self, formula: str | None, context: Mapping[str, Any], **changed: Any) -> GLM:
        """Return this model with its formula edited: see `natfit.models.origin.updated`."""
        return updated(self, formula, context, **changed)  # type: ignore[arg-type]
