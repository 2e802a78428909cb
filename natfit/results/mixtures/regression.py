"""The result of fitting a mixture of regressions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import special

from natfit.data.block import Block
from natfit.likelihoods.mixtures.concomitant import ConcomitantWeights
from natfit.results.keeping import Keeping
from natfit.results.mixtures.inference import MixtureInference
from natfit.results.plots import EstimatePlots, FittedPlot, QuantilePlots
from natfit.results.reporting import Reported
from natfit.results.tails import Tails

if TYPE_CHECKING:
    from natfit.models.mixtures.regression import MixtureRegression
    from natfit.results.mixtures.fitted import FittedComponents

Array = np.ndarray[Any, np.dtype[Any]]


class MixtureRegressionResults(MixtureInference, EstimatePlots, QuantilePlots, FittedPlot, Reported, Keeping):
    """A fitted mixture of regressions; components stand by falling size, if their families are the same.

    Made by `natfit.MixtureRegression.fit`.

    Attributes
    ----------
    weights : Series
        Mixing weights; where they depend on covariates, their averages over the rows.
    component_params : frame
        Coefficients of each component, and its dispersion where that is free: ``sigma``, its root, for Gaussian ones.
    params, bse : Series
        All estimates and their standard errors, ``stretchratio[0]`` being that of component 0.
    llf, aic, bic, icl : float
    nobs : float
        The rows, not groups of them.
    df : int
        Number of free parameters.
    converged : bool
    n_best, n_starts : int
        How many of the starts reached this maximum.
    """

    stored_as = "mixture_regression"

    def _archive(self) -> Any:
        return self.model.save_fit

    def __init__(self, model: MixtureRegression, fitted: FittedComponents, source: Any, cov_type: str = "observed"):
        self._take(model, fitted, cov_type, model.data.count())
        self.source = source

    @property
    def _rows(self) -> Any:
        return self.source

    # -- estimates -------------------------------------------------------------------------------------------------

    def _show(self, params: Array) -> tuple[Array, list[str]]:
        from natfit.results.mixtures.regression_covariance import shown

        return shown(self, params)

    def _jacobian(self) -> Array:
        from natfit.results.mixtures.regression_covariance import jacobian

        return jacobian(self, self.base.params)

    @cached_property
    def _weights(self) -> Array:
        own = self.likelihood.split(self.base.params)[0]
        if not isinstance(self.likelihood.weights, ConcomitantWeights):
            return self.likelihood.weights.probabilities(own)
        total = np.zeros(self.n_components)
        count = 0.0
        for block in self.source.blocks():
            each = np.exp(self.likelihood.weights.log_prob(own, block))
            weight = self.likelihood.unit_weight(block)
            total += each.sum(axis=1) if weight is None else each @ weight
            count += each.shape[1] if weight is None else weight.sum()
        return total / count

    @property
    def weights(self) -> Any:
        """Mixing weights, (K,); averages over the rows where they depend on covariates."""
        import pandas as pd

        return pd.Series(self._weights, index=range(self.n_components), name="weight")

    @property
    def component_params(self) -> Any:
        """Coefficients and dispersion of each component, a frame (K, p + 1)."""
        import pandas as pd

        from natfit.results.mixtures.regression_covariance import member_values

        rows = [
            member_values(self.components, self.likelihood.split(self.base.params)[1], k)
            for k in range(self.n_components)
        ]
        return pd.DataFrame(rows)

    @property
    def df(self) -> int:
        """Number of free parameters."""
        return int(self.base.params.size)

    # -- uncertainty -----------------------------------------------------------------------------------------------

    @property
    def tvalues(self) -> Any:
        """Estimates over their standard errors, a Series; for coefficients, z statistics of being 0."""
        return self.params / self.bse

    @property
    def pvalues(self) -> Any:
        """Two-sided normal p-values of ``tvalues``, a Series."""
        return 2.0 * special.ndtr(-self.tvalues.abs())

    def tidy(self, conf_int: bool = False, exponentiate: bool = False, alpha: float = 0.05) -> Any:
        """Return a frame with a row for each estimate: component, term, estimate, std_error, statistic, p_value, limits.

        Parameters
        ----------
        conf_int : bool
            Add ``conf_low`` and ``conf_high``.
        exponentiate : bool
            Give coefficients and their limits as exponentials; weights and dispersions stay as they are.
        alpha : float
        """
        import pandas as pd

        name, component = zip(*(label[:-1].rsplit("[", 1) for label in self._shown[1]), strict=True)
        scale = [each in ("weight", "sigma", "dispersion") and each not in self.components.columns for each in name]
        table = pd.DataFrame({"component": [int(k) for k in component], "term": list(name)})
        columns = {"estimate": self.params, "std_error": self.bse, "statistic": self.tvalues, "p_value": self.pvalues}
        if conf_int:
            limits = self.conf_int(alpha)
            columns |= {"conf_low": limits[0], "conf_high": limits[1]}
        for label, values in columns.items():
            table[label] = values.to_numpy()
        table.loc[scale, ["statistic", "p_value"]] = np.nan  # being 0 is no hypothesis about these
        if exponentiate:
            own = [label for label in ("estimate", "conf_low", "conf_high") if label in table]
            table.loc[~np.array(scale), own] = np.exp(table.loc[~np.array(scale), own])
        return table

    def _like(self, cov_type: str) -> Self:
        return type(self)(self.model, self.base, self.source, cov_type)

    def _drawing(self, kind: str) -> Callable[[np.random.Generator], Block]:
        from natfit.results.mixtures.regression_bootstrap import drawing

        return drawing(self, kind)

    def _enlarged(self, n_init: int, rng: np.random.Generator) -> tuple[Any, Callable[[], tuple[Any, Any]]]:
        from natfit.results.mixtures.regression_bootstrap import enlarged

        return enlarged(self, n_init, rng)

    def _degenerate(self) -> list[str]:
        from natfit.results.mixtures.regression_rows import degeneracies

        return degeneracies(self)

    # -- rows ------------------------------------------------------------------------------------------------------

    def predict(self, exog: Any = None, which: str = "mean", **known: Any) -> Any:
        """Return predictions for the fit's rows, or for new ones.

        Parameters
        ----------
        exog : table or (m, p) array_like, optional
        which : {"mean", "components", "weights"}
            The mixture's mean, a Series (m,); the mean of each component, a frame (m, K); or their weights before the
            response is seen, a frame (m, K).
        **known
            ``offset``, ``exposure``, and ``concomitant`` where the model was not made from formulas.
        """
        from natfit.results.mixtures.regression_rows import predict

        return predict(self, exog, which, known)

    def predict_proba(self, exog: Any = None, endog: Any = None, **known: Any) -> Any:
        """Return the probability of each component given the row and its response (those of its group), a frame (n, K).

        Parameters
        ----------
        exog : table or (m, p) array_like, optional
            New rows; a table holds the response too, and needs the formula's column names.
        endog : (m,) array_like, optional
            The response of new rows given as an array.
        **known
            ``offset``, ``exposure``, ``var_weights``, ``trials``, ``groups``, ``concomitant`` of new rows.
        """
        import pandas as pd

        each, index = self._of_rows(exog, endog, known)
        return pd.DataFrame(each[1].T, index=index, columns=range(self.n_components))

    def classify(self, exog: Any = None, endog: Any = None, **known: Any) -> Any:
        """Return the likeliest component of each row, a Series (n,); arguments as of `predict_proba`."""
        return self.predict_proba(exog, endog, **known).idxmax(axis=1).rename("component")

    def score_samples(self, exog: Any = None, endog: Any = None, **known: Any) -> Any:
        """Return the log-density of each row given its covariates, a Series (n,); with groups that of the row's group."""
        import pandas as pd

        each, index = self._of_rows(exog, endog, known)
        return pd.Series(each[0], index=index, name="log_density")

    def _of_rows(self, exog: Any, endog: Any, known: Any) -> tuple[tuple[Array, Array], Any]:
        from natfit.results.mixtures.regression_rows import of_rows

        return of_rows(self, exog, endog, known)

    def sample(self, exog: Any = None, random_state: Any = None, **known: Any) -> tuple[Any, Any]:
        """Draw a response for each of the fit's rows, or for each of new ones.

        Returns
        -------
        y : Series (m,)
        component : Series (m,)
        """
        from natfit.results.mixtures.regression_rows import sample

        return sample(self, exog, random_state, known)

    def _tails(self) -> tuple[Tails, Any]:
        from natfit.results.mixtures.residuals import regression_tails

        return regression_tails(self), self.model.data.index

    def summary(self, alpha: float = 0.05, title: str | None = None) -> Any:
        """Return the table of the fit, component by component."""
        from natfit.results.mixtures.regression_summary import regression_summary

        return regression_summary(self, alpha, title)

    def plot(self, ax: Any = None, covariate: str | None = None) -> Any:
        """Draw the components' means over the rows, against one covariate; the others stand at their means.

        Parameters
        ----------
        ax : matplotlib axes, optional
        covariate : str, optional
            A column of the design; the first that is not constant by default.
        """
        from natfit.diagnostics.plots.mixture_regression import plot_regressions

        return plot_regressions(self, ax, covariate)
