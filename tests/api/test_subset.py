"""A subset of the rows, whatever the data come as."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import natfit as nf

RNG = np.random.default_rng(4)
FRAME = pd.DataFrame({"y": RNG.poisson(3, 50), "x": RNG.normal(size=50), "g": RNG.permutation(list("ab") * 25)})
MASK = FRAME["x"].to_numpy() > -0.5
FORMS = {
    "pandas": FRAME,
    "polars": pl.from_pandas(FRAME),
    "arrays": {name: FRAME[name].to_numpy() for name in FRAME},
    "lists": {name: FRAME[name].tolist() for name in FRAME} | {"one": 1.0},
    "Series": {name: FRAME[name] for name in FRAME},
}
OFFSET = RNG.normal(size=50)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", [np.asarray, list, pd.Series])
def test_a_mask_chooses_rows(form, kind):
    fit = nf.GLM.from_formula("y ~ x + g", FORMS[form], subset=kind(MASK), family="poisson", offset=OFFSET).fit()
    known = {"family": "poisson", "offset": OFFSET[MASK]}
    expected = nf.GLM.from_formula("y ~ x + g", FRAME[MASK], **known).fit()
    np.testing.assert_array_equal(fit.params, expected.params)


def test_faults():
    with pytest.raises(ValueError, match=r"^subset must be a boolean mask where the data are not a pandas DataFrame$"):
        nf.GLM.from_formula("y ~ x", FORMS["arrays"], subset=[0, 1, 2])
    with pytest.raises(ValueError, match=r"^'y' has 50 rows and 'subset' has 3"):
        nf.GLM.from_formula("y ~ x", FORMS["lists"], subset=[True, False, True])
