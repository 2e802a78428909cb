"""Results are labelled as the user's columns are, whatever the labels."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import natfit as nf

RNG = np.random.default_rng(2)
FRAME = pd.DataFrame(np.column_stack([np.ones(40), RNG.normal(size=(40, 2))]))
Y = RNG.poisson(3, 40).astype(float)


@pytest.mark.parametrize("columns", [[0, 1, 2], [3, "x", 1.5], ["c", "x", "z"]])
def test_labels_are_those_of_statsmodels(columns):
    frame = FRAME.set_axis(columns, axis=1)
    ours = nf.GLM(Y, frame, family="poisson").fit()
    theirs = sm.GLM(Y, frame, family=sm.families.Poisson()).fit()
    for name in ("params", "bse", "pvalues", "tvalues"):
        pd.testing.assert_index_equal(getattr(ours, name).index, getattr(theirs, name).index)
    pd.testing.assert_index_equal(ours.conf_int().index, theirs.conf_int().index)
    pd.testing.assert_index_equal(ours.cov_params().columns, theirs.cov_params().columns)
    assert ours.params[columns[1]] == pytest.approx(theirs.params[columns[1]])


def test_all_else_works_with_numbers_for_labels():
    fit = nf.GLM(Y, FRAME, family="poisson").fit()
    assert fit.llnull < fit.llf
    assert "Poisson" in str(fit.summary())
    np.testing.assert_allclose(fit.predict(FRAME[[2, 0, 1]].head(3)), fit.fittedvalues.head(3), rtol=1e-14)
    assert fit.t_test(np.eye(3)).effect.shape == (3,)
