"""Other models beside a fit: its formula updated, its terms dropped and added."""

from __future__ import annotations

import sys
from collections import ChainMap
from typing import TYPE_CHECKING, Any

from natfit.results.broom import Augmented

if TYPE_CHECKING:
    from natfit.models.glm import GLM
    from natfit.results.glm import GLMResults


class Comparing(Augmented):
    """Mixed into a GLM's fit: `update`, `drop1`, `add1`, `augment`."""

    if TYPE_CHECKING:
        model: Any
        dispersion: float | str
        cov_type: str
        _cov_kind: Any
        use_t: bool
        bias_reduction: str | None

    selection: Any = None
    """Where `natfit.step` chose the model: a DataFrame of its steps."""

    def update(self, formula: str | None = None, **changed: Any) -> GLMResults:
        """Return the fit of the model with its formula edited, to the same table, with this fit's settings.

        Parameters
        ----------
        formula : str, optional
            As in R's ``update``: ``.`` stands for the old formula's left or right side, as in ``"~ . - x + z"`` or
            ``"log(.) ~ ."``.
        **changed
            Other arguments of `natfit.GLM.from_formula`: ``family``, ``link``, ``offset``, ``subset`` ..., and ``data``
            for another table.

        Returns
        -------
        GLMResults

        Raises
        ------
        ValueError
            If the model was not made from a formula, or the new formula can't be read.

        Notes
        -----
        The model keeps a reference to its table, no copy. Rows with missing values are looked for anew: a formula with
        other columns may rest on other rows, which ``n_missing`` in the summary's notes tells and `natfit.anova` refuses.

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> fit = nf.GLM.from_formula("sat ~ width + C(color)", crabs, family="poisson").fit()
        >>> fit.update("~ . - C(color) + weight").model.formula
        'sat ~ width + weight'
        """
        frame = sys._getframe(1)
        context = ChainMap(dict(frame.f_locals), frame.f_globals)
        return self.refitted(
            self.model.updated(formula, context, **changed), anew={"family", "dispersion"} & {*changed}
        )

    def refitted(self, model: GLM, anew: Any = ()) -> GLMResults:
        """Return the fit of another model with this fit's settings; its own dispersion where that is ``anew``."""
        own = anew or self.dispersion == self.model.dispersion
        return model.fit(
            scale=None if own else self.dispersion,
            cov_type=self.cov_type,
            cov_kwds=dict(self._cov_kind.asked) or None,
            use_t=self.use_t,
            bias_reduction=self.bias_reduction,
        )

    def drop1(self, scope: Any = None, test: str | None = None, shape: str = "held") -> Any:
        """Return a table of the fits without each term in turn, as R's ``drop1``.

        Parameters
        ----------
        scope : str or sequence of str, optional
            The terms to try: a formula's right side, or their names. By default all that no other term contains.
        test : {"LRT", "score", "Wald", "F"}, optional
            If left out, Wald where ``cov_type`` is robust, F where the dispersion is estimated, else LRT.
        shape : {"held", "estimated"}
            Whether an alpha that the fit estimated is held, as in R, or estimated again without the term.

        Returns
        -------
        DataFrame
            With R's column names: ``Df``, ``Deviance``, ``AIC``, the statistic and its p-value.

        Notes
        -----
        The dispersion is this fit's throughout, for AIC too. (R's F takes deviance / degrees of freedom for it, which a
        fit with ``scale="dev"`` does here.)

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> fit = nf.GLM.from_formula("sat ~ width + C(color)", crabs, family="poisson").fit()
        >>> fit.drop1().round(3)
                   Df  Deviance      AIC     LRT  Pr(>Chi)
        <none>    NaN   559.345  924.642     NaN       NaN
        width     1.0   609.139  972.437  49.794     0.000
        C(color)  3.0   567.879  927.176   8.534     0.036
        """
        from natfit.results.comparing.selection import drop1

        return drop1(self, scope, test, shape)  # type: ignore[arg-type]

    def add1(self, scope: Any, test: str | None = None, shape: str = "held") -> Any:
        """Return a table of the fits with each further term in turn, as R's ``add1``; arguments as of `drop1`.

        Parameters
        ----------
        scope : str or sequence of str
            The terms to try: ``"~ . + z + w"``, or ``["z", "w"]``.
        test : {"LRT", "score", "Wald", "F"}, optional
        shape : {"held", "estimated"}

        Notes
        -----
        A term is tried only where all that it contains are there. F and LRT take the larger model's dispersion, AIC this
        fit's. Rows without a value of some further term are left out of all the models, with a warning.
        """
        from natfit.results.comparing.selection import add1

        return add1(self, scope, test, shape)  # type: ignore[arg-type]
