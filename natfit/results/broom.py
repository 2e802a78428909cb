"""A fit as tidy tables, as R's broom makes them: a row for each coefficient, for the fit, for each observation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

MEASURES = ("nobs", "df_model", "df_resid", "scale", "llf", "aic", "bic", "deviance", "null_deviance", "pearson_chi2")
"""The columns of `glance`, under the names that fits have for them; those that a fit lacks are left out."""


def tidy(fit: Any, conf_int: bool = False, exponentiate: bool = False, alpha: float = 0.05) -> Any:
    """Return a row for each parameter; see `Tidy.tidy`."""
    import pandas as pd

    estimate, error = np.asarray(fit.params, dtype=float), np.asarray(fit.bse, dtype=float)
    columns = {
        "term": [str(name) for name in fit.model.exog_names],
        "estimate": np.exp(estimate) if exponentiate else estimate,
        "std_error": error,
        "statistic": np.asarray(fit.tvalues, dtype=float),
        "p_value": np.asarray(fit.pvalues, dtype=float),
    }
    if conf_int:
        limits = np.asarray(fit.conf_int(alpha), dtype=float)
        limits = np.exp(limits) if exponentiate else limits
        columns |= {"conf_low": limits[:, 0], "conf_high": limits[:, 1]}
    return pd.DataFrame(columns)


def glance(fit: Any) -> Any:
    """Return one row that tells of the whole fit; see `Tidy.glance`."""
    import pandas as pd

    found = {name: [float(getattr(fit, name))] for name in MEASURES if hasattr(fit, name)}
    return pd.DataFrame(found | {"converged": [bool(fit.converged)]})


def augment(fit: GLMResults, data: Any = None) -> Any:
    """Return the rows with what the fit says of them; see `Tidy.augment`."""
    import pandas as pd

    own = data is None
    table = _own_table(fit) if own else pd.DataFrame(data)
    with np.errstate(all="ignore"):
        prediction = fit.get_prediction(None if own else data)
    columns = {".fitted": prediction.predicted_mean, ".se_fit": prediction.se_mean}
    if own:
        rows = fit.influence(dfbetas=False)
        columns |= {
            ".resid": np.asarray(fit.resid_deviance),
            ".hat": np.asarray(rows["hat_diag"]),
            ".std_resid": np.asarray(rows["standard_resid_deviance"]),
            ".cooksd": np.asarray(rows["cooks_d"]),
        }
    for name in columns:
        if name in table.columns:
            raise ValueError(f"the table has a column {name!r} already, which augment would add; rename it")
    return table.assign(**columns)


def _own_table(fit: GLMResults) -> Any:
    """Return the rows that were fitted: of the formula's table, or else response and design."""
    import pandas as pd

    model = fit.model
    if model.origin is not None:
        return model.origin.rows(model.data.kept)
    design = pd.DataFrame(model.data.design.dense(), columns=model.exog_names, index=model.data.index)
    design.insert(0, model.endog_names, model.data.y, allow_duplicates=True)
    return design


class Tidy:
    """Mixed into a fit: `tidy` and `glance`."""

    def tidy(self, conf_int: bool = False, exponentiate: bool = False, alpha: float = 0.05) -> Any:
        """Return a DataFrame with a row for each coefficient.

        Parameters
        ----------
        conf_int : bool
            Add ``conf_low`` and ``conf_high``, as `conf_int` has them.
        exponentiate : bool
            Give estimates and limits as exponentials: odds ratios under the logit, rate ratios under the log. As in broom,
            ``std_error`` stays that of the coefficient itself.
        alpha : float
            One less the level of the limits.

        Returns
        -------
        DataFrame
            ``term``, ``estimate``, ``std_error``, ``statistic``, ``p_value``, and the limits.

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> fit = nf.GLM.from_formula("sat ~ width", crabs, family="poisson").fit()
        >>> fit.tidy().round(3)
                term  estimate  std_error  statistic  p_value
        0  Intercept    -3.305      0.542     -6.095      0.0
        1      width     0.164      0.020      8.216      0.0
        """
        return tidy(self, conf_int, exponentiate, alpha)

    def glance(self) -> Any:
        """Return a DataFrame of one row with the measures of the fit, under the names that the fit has for them.

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> fit = nf.GLM.from_formula("sat ~ width", crabs, family="poisson").fit()
        >>> fit.glance()[["nobs", "deviance", "null_deviance", "aic"]].round(3)
            nobs  deviance  null_deviance      aic
        0  173.0   567.879        632.792  927.176
        """
        return glance(self)


class Augmented:
    """Mixed into a GLM's fit: `augment`."""

    def augment(self, data: Any = None) -> Any:
        """Return the rows with what the fit says of each, in columns whose names begin with a dot.

        Parameters
        ----------
        data : DataFrame, optional
            Other rows, for which there are predictions only; the rows fitted, with all columns of their table, if left out.

        Returns
        -------
        DataFrame
            ``.fitted`` and ``.se_fit``, the mean and its standard error; of the rows fitted also ``.resid`` (deviance
            residual), ``.hat`` (leverage), ``.std_resid`` (the residual over its standard error) and ``.cooksd`` (Cook's
            distance).

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> fit = nf.GLM.from_formula("sat ~ width", crabs, family="poisson").fit()
        >>> fit.augment()[["sat", "width", ".fitted", ".resid", ".hat", ".cooksd"]].head(2).round(3)
           sat  width  .fitted  .resid   .hat  .cooksd
        0    8   28.3    3.810   1.868  0.010    0.023
        1    0   22.5    1.471  -1.715  0.015    0.011
        """
        return augment(self, data)  # type: ignore[arg-type]
