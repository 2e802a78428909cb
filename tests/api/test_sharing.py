"""Fits as tables to be shared: tidy, glance, augment, side by side; summaries in every format, names escaped."""

import html.parser
import pickle

import numpy as np
import pandas as pd
import pytest

import natfit as nf

CRABS = nf.datasets.load("crabs")


def fit(formula="sat ~ width + C(color)", data=CRABS, family="poisson", **options):
    return nf.GLM.from_formula(formula, data, family=family, **options).fit()


class Cells(html.parser.HTMLParser):
    """The texts of a table's cells, and which tags there are."""

    def __init__(self, text):
        super().__init__()
        self.texts, self.tags = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.texts.append(data.strip())


# -- tidy, glance, augment ---------------------------------------------------------------------------------------------


def test_tidy_is_the_table_of_coefficients():
    whole = fit()
    table = whole.tidy(conf_int=True)
    assert list(table.columns) == ["term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
    np.testing.assert_array_equal(table["estimate"], whole.params)
    np.testing.assert_array_equal(table[["conf_low", "conf_high"]], whole.conf_int())
    ratios = whole.tidy(conf_int=True, exponentiate=True)
    np.testing.assert_array_equal(ratios["conf_high"], np.exp(table["conf_high"]))
    np.testing.assert_array_equal(ratios["std_error"], whole.bse)


def test_glance_has_the_fits_own_names():
    whole = fit()
    row = whole.glance().iloc[0]
    for name in ("nobs", "df_resid", "scale", "llf", "aic", "bic", "deviance", "null_deviance"):
        assert row[name] == getattr(whole, name)
    assert "deviance" not in nf.fit_distribution("poisson", [1, 2, 3]).glance()


def test_augment_keeps_the_rows_fitted_and_all_their_columns():
    data = CRABS.assign(width=CRABS["width"].where(CRABS.index % 50 != 0)).set_index("crab")
    whole = fit("sat ~ width", data, subset=data["color"] < 4)
    table = whole.augment()
    assert list(table.index) == list(whole.fittedvalues.index)
    assert set(data.columns) < set(table.columns)
    np.testing.assert_allclose(table[".fitted"], whole.fittedvalues, rtol=1e-12)
    np.testing.assert_array_equal(table[".resid"], whole.resid_deviance)
    assert table[".hat"].sum() == pytest.approx(2.0)
    new = whole.augment(CRABS[:3])
    assert list(new.columns) == [*CRABS.columns, ".fitted", ".se_fit"]
    with pytest.raises(ValueError, match=r"column '\.fitted' already"):
        whole.augment(new)


def test_loaded_fits_share_too(tmp_path):
    whole = fit()
    whole.save(tmp_path / "fit")
    loaded = nf.load(tmp_path / "fit")
    pd.testing.assert_frame_equal(loaded.tidy(), whole.tidy(), check_exact=True)
    pd.testing.assert_frame_equal(loaded.glance(), whole.glance(), check_exact=True)
    assert str(nf.compare([loaded])) == str(nf.compare([whole]))
    with pytest.raises(ValueError, match="holds no rows"):
        loaded.augment()


# -- side by side ------------------------------------------------------------------------------------------------------


def test_fits_side_by_side():
    small, large = fit("sat ~ width"), fit()
    table = nf.compare({"small": small, "large": large})
    assert table.frame.loc[("width", "coef"), "small"] == small.params["width"]
    assert table.frame.loc[("width", "std err"), "large"] == large.bse["width"]
    assert np.isnan(table.frame.loc[("C(color)[T.2]", "coef"), "small"])
    assert table.frame.loc[("AIC", ""), "large"] == large.aic
    text = str(table)
    assert "*" not in text
    assert "0.164" in text
    assert "***" in str(nf.compare([small], stars=True))


def test_side_by_side_says_what_does_not_compare():
    assert "rows: likelihoods do not compare" in str(nf.compare([fit(), fit(data=CRABS[5:])]))
    assert "responses differ (sat, weight)" in str(nf.compare([fit(), fit("weight ~ width", family="gaussian")]))
    unfinished = nf.GLM.from_formula("sat ~ width", CRABS, family="poisson")
    with pytest.warns(nf.ConvergenceWarning):
        stopped = unfinished.fit(maxiter=1)
    assert "(1): NOT CONVERGED" in str(nf.compare([stopped]))
    with pytest.raises(ValueError, match="a name of its own"):
        nf.compare([fit(), fit()], names=["a", "a"])
    with pytest.raises(ValueError, match="at least one fit"):
        nf.compare([])
    with pytest.raises(ValueError, match="measures has 'aic'"):
        nf.compare([fit()], measures=["aic"])


def test_regressions_for_every_parameter_stand_beside_others():
    regression = nf.DistributionalRegression.from_formula("sat ~ width | width", CRABS, family="gaussian").fit()
    table = nf.compare([fit("sat ~ width"), regression])
    assert regression.tidy()["term"].tolist() == list(regression.params.index)
    assert table.frame.shape[1] == 2
    with pytest.raises(TypeError, match="fits with a table of coefficients, got str"):
        nf.compare(["a fit"])


# -- formats -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def odd():
    """A fit whose names hold what HTML, LaTeX and Markdown would take for their own."""
    levels = ["x", "<b>&", "a|b", "c`d{e}"]
    g = pd.Categorical(levels * 2, levels)
    data = pd.DataFrame({"a_b": [1, 2, 3, 4, 5, 6.0, 9, 4], "g": g, "x": [1, 2, 4, 1, 5, 3.0, 7, 7]})
    return fit("a_b ~ g + x", data, "gaussian")


@pytest.mark.parametrize("table", [lambda f: f.summary(), lambda f: nf.compare([f])], ids=["summary", "compare"])
def test_names_are_shown_as_they_are(odd, table):
    made = table(odd)
    cells = Cells(made.as_html())
    assert set(odd.model.exog_names) <= set(cells.texts)
    assert "b" not in cells.tags
    latex = made.as_latex()
    assert r"\textless{}b" in latex
    assert r"\{e\}" in latex
    markdown = made.as_markdown()
    assert "a\\|b" in markdown
    assert "`` g[T.c`d{e}] ``" in markdown
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in rows[-4:]}) == 1


def test_summaries_of_every_kind_have_markdown():
    y = np.random.default_rng(0).gamma(2.0, 1.0, 40)
    for summary in (fit().summary(), nf.fit_distribution("gamma", y).summary()):
        assert summary.as_markdown().startswith("| | |")
        assert "- Stopped" in summary.as_markdown()
        assert "<table" in summary.as_html()
        assert pickle.loads(pickle.dumps(summary.as_csv()))
