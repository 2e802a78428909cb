"""What each row does to a GLM's fit: leverage, and one step of deletion, in passes over blocks of rows.

With the fit's working weights W (expected information), X'WX = F and r the Pearson residual, leaving row i out and taking
one step of scoring from the estimate moves the coefficients by -F^-1 x_i s_i / (1 - h_i), with s_i its score and
h_i = w_i x_i' F^-1 x_i its leverage: Pregibon (1981), Annals of Statistics 9, 705-724; Williams (1987), Applied
Statistics 36, 181-191. A row of frequency f stands for f equal ones, and is left out whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from natfit.data.block import Block

Array = np.ndarray[Any, np.dtype[Any]]

FULL = 1e-10
"""A leverage this near to 1 is 1 to rounding: the row is fitted by a coefficient of its own, and its deletion leaves
nothing that could be measured."""


def require_finite(fit: Any, what: str) -> None:
    """Refuse what needs finite estimates where the likelihood has none, in one sentence."""
    if fit.fitted.separation is None:
        return
    names = zip(fit.model.exog_names, fit.fitted.separation.columns, strict=True)
    gone = ", ".join(str(name) for name, separated in names if separated)
    raise ValueError(
        f"{what} needs finite estimates, but those of {gone} run off to infinity (separation); leave these columns out, "
        "or fit with bias_reduction='firth'"
    )


class RowTerms(NamedTuple):
    """Each row's leverage, and its score and expected information in its predictor at unit dispersion; (n,) each."""

    hat: Array
    score: Array
    weight: Array

    @property
    def left(self) -> Array:
        """1 - h; NaN where nothing is left."""
        left = 1.0 - self.hat
        return np.where(left > FULL, left, np.nan)


def row_terms(fit: Any) -> RowTerms:
    """Return the leverage, score and information of every row, in one pass over the blocks."""
    require_finite(fit, "a leverage")
    metric, kept = fit.fitted.metric, fit.fitted.kept

    def terms(block: Block) -> tuple[Array, Array, Array]:
        with np.errstate(all="ignore"):
            rows = fit.likelihood.rows(fit._params_filled, block)
            score, weight = fit.likelihood.derivatives(rows, block.columns.get("weight"))
        return weight * metric.inverse_quadratic(_kept_rows(block, kept)), score, weight

    return RowTerms(*(np.concatenate(part) for part in zip(*fit.model.source.map(terms), strict=True)))


def leverage(fit: Any) -> Array:
    """Return the diagonal of the hat matrix, W^(1/2) X F^-1 X' W^(1/2), of all rows, (n,).

    One pass over the blocks, from the metric that the fit left: nothing of n by p is held, and no design is factored
    again. The leverages add up to the rank.

    Parameters
    ----------
    fit : GLMResults

    Raises
    ------
    ValueError
        If coefficients are separated.

    Notes
    -----
    W is that of the expected information, as in R's ``hatvalues``. Hoaglin & Welsch (1978), American Statistician 32,
    17-22; McCullagh & Nelder (1989), section 12.7.

    Examples
    --------
    >>> import natfit as nf
    >>> X = np.column_stack([np.ones(4), [0.0, 1.0, 2.0, 9.0]])
    >>> leverage(nf.GLM([1.0, 2.0, 2.0, 8.0], X).fit()).round(3)
    array([0.43, 0.33, 0.27, 0.97])
    """
    return row_terms(fit).hat


def _kept_rows(block: Block, kept: Array) -> Array:
    """Return a block's rows as a dense array, without aliased columns."""
    rows = block.designs["mean"].dense()
    return rows if kept.all() else rows[:, kept]


def studentized(fit: Any, residual: Array, hat: Array) -> Array:
    """Return residuals divided by their standard error sqrt(dispersion (1 - h)); NaN where the leverage is 1.

    A row of frequency f holds f observations, each with an f-th of its leverage.
    """
    freq = fit.model.data.freq_weights
    each = hat if freq is None else np.divide(hat, freq, out=np.zeros_like(hat), where=freq > 0.0)
    return np.asarray(residual) / np.sqrt(RowTerms(each, each, each).left * fit.scale)


def deletion(fit: Any, terms: RowTerms | None = None) -> Array:
    """Return how one step moves the coefficients when each row is left out, (n, p): the estimate less the one without it.

    Aliased columns are NaN. This is an n-by-p answer: ask for it where that fits into memory.
    """
    terms = row_terms(fit) if terms is None else terms
    kept, metric = fit.fitted.kept, fit.fitted.metric
    push = terms.score / terms.left
    moved = np.full((push.size, kept.size), np.nan)
    start = 0
    for block in fit.model.source.blocks():
        stop = start + block.n_rows
        rows = _kept_rows(block, kept) * push[start:stop, None]
        moved[start:stop, kept] = metric.solve(np.asfortranarray(rows.T)).T
        start = stop
    return moved


def influence_frame(fit: Any, dfbetas: bool = True) -> Any:
    """Return the influence of each row as a DataFrame: see `Influence.influence`."""
    import pandas as pd

    terms = row_terms(fit)
    with np.errstate(all="ignore"):
        own = np.where(terms.weight > 0.0, terms.score / np.sqrt(terms.weight), 0.0)
        shift = own * np.sqrt(terms.hat / fit.scale) / terms.left
    columns = {
        "hat_diag": terms.hat,
        "standard_resid": studentized(fit, fit.resid_pearson, terms.hat),
        "standard_resid_deviance": studentized(fit, fit.resid_deviance, terms.hat),
        "dffits_internal": shift,
        "cooks_d": shift**2 / fit.fitted.kept.sum(),
        "se_shift": np.abs(shift),
        "kl_shift": 0.5 * shift**2,
    }
    if dfbetas:
        moved = deletion(fit, terms) / fit._bse
        columns |= {f"dfb_{name}": moved[:, j] for j, name in enumerate(fit._coefficients)}
    return pd.DataFrame(columns, index=fit.model.data.index)


class Influence:
    """Mixed into a GLM's fit: what each row does to it."""

    def influence(self, dfbetas: bool = True) -> Any:
        """Return what each row does to the fit, a DataFrame of one row for each row of the data.

        Parameters
        ----------
        dfbetas : bool
            Whether to give the change of each coefficient too: n by p numbers.

        Returns
        -------
        DataFrame
            ``hat_diag``, the leverage; ``standard_resid`` and ``standard_resid_deviance``, Pearson and deviance
            residuals divided by sqrt(scale (1 - h)); ``dffits_internal``, the change of the row's own linear predictor
            in its standard errors when the row is left out; ``cooks_d``, Cook's distance; ``se_shift``, how far all
            coefficients move together, in standard errors, sqrt(d'Fd / scale); ``kl_shift``, the Kullback-Leibler
            divergence that they move, in nats, to second order (half the square of ``se_shift``);
            ``dfb_<coefficient>``, each one's change in its standard errors. Names and numbers are statsmodels' where it
            has them.

        Raises
        ------
        ValueError
            If coefficients are separated: there is no estimate to move.

        Notes
        -----
        One step of scoring from the estimate stands for the refit; exact for a linear Gaussian. Pregibon (1981), Annals
        of Statistics 9, 705-724; Williams (1987), Applied Statistics 36, 181-191. A row whose leverage is 1 has NaN.

        Examples
        --------
        >>> import natfit as nf
        >>> X = np.column_stack([np.ones(5), [0.0, 1.0, 2.0, 3.0, 9.0]])
        >>> fit = nf.GLM([1, 2, 2, 4, 9], X, family="poisson").fit()
        >>> fit.influence(dfbetas=False)[["hat_diag", "cooks_d"]].round(3)
           hat_diag  cooks_d
        0     0.280    0.057
        1     0.264    0.001
        2     0.246    0.011
        3     0.230    0.090
        4     0.979   12.596
        """
        return influence_frame(self, dfbetas)

    def plot_influence(self, label: int = 5, ax: Any = None) -> Any:
        """Draw leverage against studentized residuals, with areas in proportion to Cook's distance.

        Parameters
        ----------
        label : int
            Name so many rows, those with the largest Cook's distance.
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        from natfit.diagnostics.plots.fit import plot_influence

        return plot_influence(self, label, ax)
