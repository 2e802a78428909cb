"""Latent classes of labels: the same fit as of codes, labels in what is shown."""

import numpy as np
import pandas as pd
import pytest

import natfit as nf

FAMILIES = {"smokes": "bernoulli", "colour": "categorical", "size": "categorical"}
LEVELS = {"smokes": ["no", "yes"], "colour": ["blue", "green", "red"], "size": ["small", "large", "huge"]}


@pytest.fixture(scope="module")
def codes() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    label = rng.integers(2, size=600)
    shares = {"smokes": ([0.9, 0.1], [0.2, 0.8]), "colour": ([0.7, 0.2, 0.1], [0.1, 0.2, 0.7])}
    shares["size"] = ([0.6, 0.3, 0.1], [0.1, 0.3, 0.6])
    drawn = {
        name: np.where(label, *(rng.choice(len(p), 600, p=p) for p in reversed(both))) for name, both in shares.items()
    }
    return pd.DataFrame(drawn, index=np.arange(600) + 10)


@pytest.fixture(scope="module")
def words(codes: pd.DataFrame) -> pd.DataFrame:
    made = pd.DataFrame({name: np.array(LEVELS[name])[codes[name]] for name in codes}, index=codes.index)
    made["size"] = pd.Categorical(made["size"], categories=[*LEVELS["size"], "giant"])
    return made


@pytest.fixture(scope="module")
def fits(codes: pd.DataFrame, words: pd.DataFrame) -> list[nf.MixtureResults]:
    return [nf.Mixture(FAMILIES, 2).fit(each, random_state=0, n_init=12) for each in (codes, words)]


def test_labels_make_the_fit_that_codes_make(fits):
    by_code, by_label = fits
    assert by_label.llf == by_code.llf
    assert by_label.params.to_numpy().tolist() == by_code.params.to_numpy().tolist()
    assert by_label.bse.to_numpy().tolist() == by_code.bse.to_numpy().tolist()
    names = ["smokes:probability[yes]", "colour:probability[blue]", "colour:probability[green]"]
    assert list(by_label.component_params) == [*names, "size:probability[small]", "size:probability[large]"]
    assert "size:probability[large]" in str(by_label.summary())
    assert "colour:log_odds[green][0]" in by_label.to("log_odds").params.index
    assert by_label.tidy()["term"].iloc[2] == "smokes:probability[yes]"


def test_named_columns_of_any_table_are_read(words, fits):
    data = {**{name: words[name].to_numpy() for name in words}, "count": np.ones(len(words))}
    fit = nf.Mixture(FAMILIES, 2).fit(list(FAMILIES), freq_weights="count", data=data, random_state=0, n_init=12)
    assert fit.llf == pytest.approx(fits[1].llf, rel=1e-12)
    one = nf.Mixture("categorical", 1).fit(words["colour"])
    assert one.params.to_numpy()[1:] == pytest.approx(words["colour"].value_counts(normalize=True)[["blue", "green"]])
    assert list(one.params.index) == ["weight[0]", "probability[blue][0]", "probability[green][0]"]


def test_new_rows_are_read_by_their_labels(words, fits, tmp_path):
    own = fits[1].predict_proba()
    few = words.iloc[:7][["size", "smokes", "colour"]].astype(str)  # fewer labels than the fit, in another order
    np.testing.assert_allclose(fits[1].predict_proba(few), own.iloc[:7], rtol=1e-12)
    fits[1].save(tmp_path / "classes.natfit")
    again = nf.load(tmp_path / "classes.natfit")
    np.testing.assert_allclose(again.predict_proba(few), own.iloc[:7], rtol=1e-12)
    assert list(again.params.index) == list(fits[1].params.index)
    with pytest.raises(ValueError, match=r"'colour' has the label 'pink' at 1 row \(1\), which the fit has not seen"):
        fits[1].predict(few.assign(colour=["red", "pink", *few["colour"][2:]]))


def test_draws_are_labels(fits):
    drawn = fits[1].sample(400, random_state=1)[0]
    assert {name: sorted(set(drawn[name])) for name in drawn} == {name: sorted(own) for name, own in LEVELS.items()}


def test_labels_that_stream_by_are_refused(words):
    with pytest.raises(
        ValueError, match=r"'colour' holds text .*write labels as codes 0, 1, .*or give a table in memory"
    ):
        nf.Mixture("categorical", 2).fit(["colour"], data=nf.data.from_frame(words))
    words = words.astype({"colour": "category"})
    with pytest.raises(ValueError, match=r"'colour' holds levels of a factor.*write labels as codes"):
        nf.Mixture("categorical", 2).fit(["colour"], data=nf.data.from_frame(words))


def test_labels_where_none_can_be_are_refused(words):
    with pytest.raises(ValueError, match="two labels, and 'colour' has 3"):
        nf.Mixture("bernoulli", 2).fit(words)
    with pytest.raises(ValueError, match="'colour'"):
        nf.Mixture("poisson", 2).fit(words["colour"])
    holes = words["colour"].where(words.index > 20)
    with pytest.raises(ValueError, match="missing"):
        nf.Mixture("categorical", 1).fit(holes)
    fit = nf.Mixture("categorical", 1).fit(holes, missing="drop")
    assert fit.nobs == 589


@pytest.mark.parametrize("family", ["bernoulli", "categorical", "poisson", "geometric"])
def test_a_column_at_the_edge_in_all_rows_is_named(family):
    y = pd.DataFrame({"varies": np.arange(40) % 2, "still": np.zeros(40)})
    with pytest.raises(
        ValueError, match=f"a {family} mixture needs columns that vary, and 'still' is the same in all rows"
    ):
        nf.Mixture(family, 2).fit(y, random_state=0)
