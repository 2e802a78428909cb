"""The result of fitting a mixture: estimates and their uncertainty, classification, criteria."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.block import Block
from natfit.data.checks import where
from natfit.likelihoods.mixtures.mixture import normalise
from natfit.results.keeping import Keeping
from natfit.results.mixtures.coordinates import Coordinates
from natfit.results.mixtures.inference import MixtureInference
from natfit.results.plots import EstimatePlots, QuantilePlots
from natfit.results.reporting import Reported
from natfit.results.tails import Tails

if TYPE_CHECKING:
    from natfit.models.mixtures.mixture import Mixture
    from natfit.results.mixtures.fitted import FittedMixture

Array = np.ndarray[Any, np.dtype[Any]]


class MixtureResults(Coordinates, MixtureInference, EstimatePlots, QuantilePlots, Reported, Keeping):
    """A fitted mixture; components stand by falling weight.

    Made by `natfit.Mixture.fit`.

    Attributes
    ----------
    weights : Series
    means, covariances : frame and dict of frames, Gaussian components only
    component_params : frame
        One row for each component, in the family's home parameters.
    params, bse : Series
        All of these, and their standard errors.
    llf, aic, bic, icl : float
    nobs : float
    df : int
        Number of free parameters.
    converged : bool
    n_best, n_starts : int
        How many of the starts reached this maximum, to within 0.05 nats.
    """

    stored_as = "mixture"

    def _archive(self) -> Any:
        return self.model.save_fit

    def __init__(
        self,
        model: Mixture,
        fitted: FittedMixture,
        cov_type: str = "observed",
        shown_as: tuple[str | None, str] = (None, "probability"),
    ):
        self._take(model, fitted, cov_type, fitted.data.nobs)
        self.shown_as = shown_as
        self.columns = fitted.data.columns

    @property
    def _rows(self) -> Any:
        return self.base.data.source

    # -- estimates -------------------------------------------------------------------------------------------------

    @property
    def _labels(self) -> list[int]:
        return list(range(self.n_components))

    @cached_property
    def _weights(self) -> Array:
        return self.likelihood.weights.probabilities(self.likelihood.split(self.base.params)[0])

    @property
    def weights(self) -> Any:
        """The mixing weights, (K,)."""
        import pandas as pd

        return pd.Series(self._weights, index=self._labels, name="weight")

    @cached_property
    def _parts(self) -> list[Any]:
        from natfit.results.mixtures.covariance import parts

        return parts(self.components, self.columns, self.base.data.levels)

    @cached_property
    def _members(self) -> list[Array]:
        """The components' home parameters, (K, p) for each family that they are made of."""
        from natfit.results.mixtures.covariance import members

        rest = self.likelihood.split(self.base.params)[1]
        return [members(part, rest) for part in self._parts]

    @property
    def component_params(self) -> Any:
        """Home parameters of each component, a frame (K, p); a component without parameters has no row."""
        import pandas as pd

        from natfit.results.mixtures.covariance import member_names

        names = [name for part in self._parts for name in member_names(part)]
        made = np.concatenate(self._members, axis=1)
        return pd.DataFrame(made, index=self._labels[: len(made)], columns=names)

    @property
    def means(self) -> Any:
        """Means of Gaussian components, a frame (K, d) of all Gaussian columns."""
        import pandas as pd

        columns, means, _ = self._gaussian
        return pd.DataFrame(means, index=self._labels[: len(means)], columns=columns)

    @property
    def covariances(self) -> dict[int, Any]:
        """Covariances of Gaussian components, a frame (d, d) for each; 0 between columns that are independent in them."""
        import pandas as pd

        columns, _, each = self._gaussian
        return {k: pd.DataFrame(each[k], index=columns, columns=columns) for k in range(len(each))}

    @cached_property
    def _gaussian(self) -> tuple[list[str], Array, Array]:
        """The Gaussian columns, their means (K, d) and covariances (K, d, d)."""
        from natfit.results.mixtures.covariance import gaussian_moments

        return gaussian_moments(self._parts, self._members)

    @cached_property
    def _chart(self) -> Any:
        return self.base.coordinates(self.base.params)

    @property
    def df(self) -> int:
        """Number of free parameters."""
        return self.base.params.size if self._chart is None else self._chart.size

    # -- uncertainty -----------------------------------------------------------------------------------------------

    def _drawing(self, kind: str) -> Callable[[np.random.Generator], Block]:
        from natfit.results.mixtures.bootstrap import drawing

        return drawing(self, kind)

    def _enlarged(self, n_init: int, rng: np.random.Generator) -> tuple[Any, Callable[[], tuple[Any, Any]]]:
        from natfit.results.mixtures.component_test import enlarged

        return enlarged(self, n_init, rng)

    def _degenerate(self) -> list[str]:
        from natfit.results.mixtures.degeneracy import degeneracies

        return degeneracies(self)

    # -- rows ------------------------------------------------------------------------------------------------------

    def _joint(self, y: Any) -> tuple[Iterator[tuple[Array, Array]], Any]:
        """Return for each block log-densities and responsibilities, and the rows' labels."""
        if y is None:
            data = self.base.data
        else:
            data = self.model.new_rows(y, self)
        params = self.base.params

        def each(block: Any) -> tuple[Array, Array]:
            with np.errstate(all="ignore"):  # a density of 0 under all components: -inf, and no responsibilities
                return normalise(self.likelihood.joint(params, block))

        return data.source.map(each), data.index

    def predict_proba(self, y: Any = None) -> Any:
        """Return the probability of each component given the row, a frame (n, K).

        Parameters
        ----------
        y : table or array_like, optional
            New rows; the fit's own by default. Of a table the columns of the fit are taken, in whatever order they stand.

        Raises
        ------
        ValueError
            If columns are missing, or rows lie where no component can have made them.
        """
        import pandas as pd

        blocks, index = self._joint(y)
        made = np.concatenate([share.T for _, share in blocks])
        _refuse_lost(np.isnan(made[:, 0]))
        return pd.DataFrame(made, index=index, columns=self._labels)

    def predict(self, y: Any = None) -> Any:
        """Return the likeliest component of each row, a Series (n,); ``y`` as of `predict_proba`."""
        import pandas as pd

        blocks, index = self._joint(y)
        made = np.concatenate([np.where(np.isnan(share[0]), -1, share.argmax(axis=0)) for _, share in blocks])
        _refuse_lost(made < 0)
        return pd.Series(made, index=index, name="component")

    def score_samples(self, y: Any = None) -> Any:
        """Return the log-density of each row, a Series (n,); ``y`` as of `predict_proba`."""
        import pandas as pd

        blocks, index = self._joint(y)
        return pd.Series(np.concatenate([each for each, _ in blocks]), index=index, name="log_density")

    def _tails(self) -> tuple[Tails, Any]:
        from natfit.results.mixtures.residuals import mixture_tails

        return mixture_tails(self), self.base.data.index

    def _residuals_of_observations(self, random_state: Any) -> Array:
        from natfit.results.tails import normal_quantiles, written_out

        return normal_quantiles(written_out(self._tails()[0], self.base.data.weight), random_state)

    def sample(self, n: int, random_state: Any = None) -> tuple[Any, Any]:
        """Draw rows from the fitted mixture.

        Returns
        -------
        y : frame (n, d), or Series (n,) of one column
        component : Series (n,)
        """
        import pandas as pd

        from natfit.results.mixtures.sampling import sample

        rng = np.random.default_rng(random_state)
        labels = rng.choice(self.n_components, int(n), p=self._weights)
        drawn = sample(self, labels, rng)
        component = pd.Series(labels, name="component")
        made = pd.DataFrame(drawn, columns=self.columns)
        for name, levels in self.base.data.levels.items():
            made[name] = np.array(levels, dtype=object)[made[name].to_numpy(dtype=int)]
        return (made[self.columns[0]] if drawn.shape[1] == 1 else made), component

    def plot(self, ax: Any = None, columns: Any = None) -> Any:
        """Draw the density with its components over a histogram, or for two columns ellipses over the rows.

        Parameters
        ----------
        ax : matplotlib axes, optional
        columns : sequence of str, optional
            Two columns to draw, where there are more; of three or four, all pairs are drawn by default.
        """
        from natfit.diagnostics.plots.mixture import plot_mixture

        return plot_mixture(self, ax, columns)

    def plot_convergence(self, ax: Any = None) -> Any:
        """Draw the way of EM and of this fit to the maximum: log-likelihood left to gain against passes over the data."""
        from natfit.diagnostics.plots.mixture import plot_convergence

        return plot_convergence(self, ax)

    def tidy(self, conf_int: bool = False, exponentiate: bool = False, alpha: float = 0.05) -> Any:
        """Return a frame with a row for each of ``params``: component, term, estimate, std_error, limits.

        Parameters
        ----------
        conf_int : bool
            Add ``conf_low`` and ``conf_high``.
        exponentiate : bool
            Give exponentials of estimates and limits: of coordinates that are logarithms (see `to`).
        alpha : float
        """
        import pandas as pd

        labels = [str(label)[:-1].rpartition("[") for label in self.params.index]
        turned = np.exp if exponentiate else np.asarray
        table = pd.DataFrame({"component": [int(k) for *_, k in labels], "term": [name for name, *_ in labels]})
        table["estimate"], table["std_error"] = turned(self.params.to_numpy()), self.bse.to_numpy()
        if conf_int:
            table[["conf_low", "conf_high"]] = turned(self.conf_int(alpha).to_numpy())
        return table

    def summary(self, alpha: float = 0.05, title: str | None = None) -> Any:
        """Return the table of the fit, component by component."""
        from natfit.results.mixtures.summary import mixture_summary

        return mixture_summary(self, alpha, title)


def _refuse_lost(lost: Array) -> None:
    """Refuse rows whose density is 0 under all components, so that none is likelier than another."""
    if lost.any():
        raise ValueError(
            f"every component has density 0, in floating point, at {where(lost)}, so that none is likelier than another; "
            "leave those rows out"
        )
