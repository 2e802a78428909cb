"""Checks of a fit's assumptions, as methods of the result; the tests themselves are in `natfit.diagnostics`."""

from __future__ import annotations

from typing import Any


class Checks:
    """Mixed into a GLM's fit."""

    def overdispersion_test(self) -> Any:
        """Test whether a Poisson's or a binomial's responses vary more than it lets them; a DataFrame, a row a test.

        Pearson's statistic against chi-squared; Dean's score tests (P_A with the leverages' correction, P_B and P_C; N_A
        of a binomial with trials); Cameron and Trivedi's regressions, whose estimate is alpha. All p-values are
        one-sided, against more variance.

        Raises
        ------
        ValueError
            For another family, single trials, or separated coefficients.

        Notes
        -----
        Dean (1992), Journal of the American Statistical Association 87, 451-457; Cameron & Trivedi (1990), Journal of
        Econometrics 46, 347-364.

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> fit = nf.GLM.from_formula("sat ~ width", crabs, family="poisson").fit()
        >>> fit.overdispersion_test()["statistic"].round(2).loc[["Dean P_B", "Cameron-Trivedi NB2"]].tolist()
        [17.78, 4.83]
        """
        from natfit.diagnostics.fit_tests import overdispersion

        return overdispersion(self)

    def zero_inflation_test(self) -> Any:
        """Test whether there are more zeros than a Poisson has, by a score test: no zero-inflated model is fitted.

        Returns
        -------
        Check
            ``statistic`` (chi-squared on one degree of freedom), ``p_value``, ``null`` in words.

        Raises
        ------
        ValueError
            For another family than the Poisson.

        Notes
        -----
        van den Broek (1995), Biometrics 51, 738-743. Two-sided: too few zeros are told as well.

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> check = nf.GLM.from_formula("sat ~ width", crabs, family="poisson").fit().zero_inflation_test()
        >>> round(check.statistic, 2), check.null
        (32.77, 'no more zeros than a Poisson has (62 seen, 13.98 expected)')
        """
        from natfit.diagnostics.fit_tests import zero_inflation

        return zero_inflation(self)

    def link_test(self) -> Any:
        """Test the link and the predictor's form: refit on the linear predictor and its square (Stata's linktest).

        Returns
        -------
        DataFrame
            ``hat`` is near 1, and ``hatsq`` near 0, where both are right.

        Notes
        -----
        Pregibon (1980), Applied Statistics 29, 15-24; Tukey (1949), Biometrics 5, 232-242.

        Examples
        --------
        >>> import natfit as nf
        >>> beetles = nf.datasets.load("beetles")
        >>> fit = nf.GLM.from_formula("I(killed / n) ~ dose", beetles, family="binomial", trials="n").fit()
        >>> fit.link_test()[["estimate", "p_value"]].round(4)
               estimate  p_value
        const   -0.3040   0.0764
        hat      0.9810   0.0000
        hatsq    0.1332   0.0069
        """
        from natfit.diagnostics.fit_tests import link_test

        return link_test(self)

    def hosmer_lemeshow(self, groups: int = 10) -> Any:
        """Test a binomial's calibration in groups cut at quantiles of its probabilities.

        Parameters
        ----------
        groups : int
            Fewer where probabilities coincide.

        Returns
        -------
        HosmerLemeshow
            ``statistic``, ``df`` (groups less 2), ``p_value``, and ``table``.

        Notes
        -----
        Hosmer & Lemeshow (1980), Communications in Statistics A 9, 1043-1069.

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> check = nf.GLM.from_formula("I(sat > 0) ~ width", crabs, family="binomial").fit().hosmer_lemeshow()
        >>> round(check.statistic, 4), check.df, round(check.p_value, 4)
        (4.3855, 8.0, 0.8208)
        """
        from natfit.diagnostics.fit_tests import hosmer_lemeshow

        return hosmer_lemeshow(self, groups)

    def calibration(self, groups: int = 10, alpha: float = 0.05) -> Any:
        """Return a binomial's predicted and observed shares in groups of like probabilities, with Wilson's limits."""
        from natfit.diagnostics.fit_tests import calibration

        return calibration(self, groups, alpha)

    def vif(self) -> Any:
        """Return generalized variance-inflation factors, a row for each term of the formula (or column).

        Returns
        -------
        DataFrame
            ``gvif``, ``df`` and ``gvif_root``, gvif^(1 / (2 df)), which compares terms of unlike sizes.

        Notes
        -----
        Fox & Monette (1992), Journal of the American Statistical Association 87, 178-183; from the coefficients' covariance,
        as R's ``car::vif``.

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> nf.GLM.from_formula("sat ~ width + weight + C(color)", crabs, family="poisson").fit().vif().round(3)
                   gvif  df  gvif_root
        C(color)  1.082   3      1.013
        width     5.906   1      2.430
        weight    5.827   1      2.414
        """
        from natfit.diagnostics.identifiability import variance_inflation

        return variance_inflation(self)

    def identifiability(self) -> Any:
        """Report what the data can tell of each coefficient: rank, condition, directions hardly seen, separation.

        Returns
        -------
        Identifiability
            ``print`` it; ``condition``, ``directions``, ``identified``.

        Notes
        -----
        The null space of the metric, columns scaled to unit length; Belsley, Kuh & Welsch (1980), Regression Diagnostics,
        chapter 3, for the indices.

        Examples
        --------
        >>> import natfit as nf
        >>> crabs = nf.datasets.load("crabs")
        >>> print(nf.GLM.from_formula("sat ~ width + I(2 * width)", crabs, family="poisson").fit().identifiability())
        2 of 3 coefficients are identified; the condition number of the scaled design is 24.3.
        Aliased: I(2 * width) is a linear combination of width; its coefficient is not identified.
        """
        from natfit.diagnostics.identifiability import identifiability

        return identifiability(self)
