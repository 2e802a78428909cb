"""What makes no sense of a distributional model or fit is refused in a sentence; designs of any kind are taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tabmat
from scipy import sparse

import natfit as nf
from natfit.families import distributional as families
from natfit.families.distributional.categorical import Cumulative, Multinomial

FIT = nf.DistributionalRegression.from_formula
QUINE = nf.datasets.load("quine")
DAYS = FIT("Days ~ Age", QUINE, "nb2").fit()
PNEUMO = nf.datasets.load("pneumo")

REQUESTS: dict[str, tuple[Callable[[], Any], str]] = {
    "limits": (lambda: DAYS.prediction_interval(QUINE.head(2), alpha=2.0), "alpha must lie between 0 and 1"),
    "limits of a mean": (lambda: DAYS.get_prediction(QUINE.head(2)).conf_int(0.0), "alpha must lie between 0 and 1"),
    "limits of a quantile": (
        lambda: DAYS.quantile_interval(QUINE.head(2), alpha=-1.0),
        "alpha must lie between 0 and 1",
    ),
    "quantile": (lambda: DAYS.quantile_interval(QUINE.head(2), q=0.0), "levels of quantiles lie strictly between"),
    "quantiles": (lambda: DAYS.quantile(QUINE.head(2), q=[[0.5]]), "one number or several in a row"),
    "no draws": (lambda: DAYS.prediction_interval(QUINE.head(2), n=0), "n must be a whole number of draws"),
    "no simulations": (lambda: DAYS.simulate(n=0), "n must be a whole number of draws, 1 or more; got 0"),
    "no bins": (lambda: DAYS.pit(0), "bins must be a whole number, 1 or more; got 0"),
    "offset of what is held": (
        lambda: FIT("Days ~ Age", QUINE.assign(w=1.0), "nb2", fixed={"alpha": 0.5}, offset={"alpha": "w"}),
        "alpha is held at 0.5 and has an offset as well",
    ),
    "the same on a stream": (
        lambda: FIT(
            "Days ~ Age", nf.data.from_frame(QUINE.assign(w=1.0)), "nb2", fixed={"alpha": 0.5}, offset={"alpha": "w"}
        ),
        "alpha is held at 0.5 and has an offset as well",
    ),
    "the same of arrays": (
        lambda: nf.DistributionalRegression(
            QUINE["Days"], family="nb2", fixed={"alpha": 0.5}, offset={"alpha": np.ones(len(QUINE))}
        ),
        "alpha is held at 0.5 and has an offset as well",
    ),
    "links in a row": (
        lambda: FIT("Days ~ Age", QUINE, "nb2", links=["log", "log"]),
        "links are given by parameter, as in links={'mean': 'log'}",
    ),
    "rows of one design": (
        lambda: nf.DistributionalRegression([1, 2, 3], {"mean": np.ones((3, 1)), "alpha": np.ones((2, 1))}, "nb2"),
        "the design of alpha can't be taken: 'exog' has 2 rows",
    ),
    "values of one design": (
        lambda: nf.DistributionalRegression(
            [1, 2, 3], {"mean": np.ones((3, 1)), "alpha": [[1.0], [np.inf], [1.0]]}, "nb2"
        ),
        "the design of alpha can't be taken: .* infinite values in 1 row",
    ),
    "values of the response": (
        lambda: nf.DistributionalRegression([1, np.nan, 3], {"alpha": np.ones((3, 1))}, "nb2"),
        "^missing values in",
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_what_makes_no_sense_is_refused(name: str) -> None:
    ask, message = REQUESTS[name]
    with pytest.raises((ValueError, TypeError), match=message):
        ask()


PAIRS = pd.DataFrame({"a": [0.2, 0.4, 0.3, 0.6], "b": [0.1, 0.5, 0.7, 0.2], "x": [1.0, 2.0, 3.0, 4.0]})
ONE_COLUMN = [name for name in families.names() if families.get(name).support.event_shape == ()]


@pytest.mark.parametrize("family", [*ONE_COLUMN, "poisson", "pareto(minimum=0.1)"])
def test_two_columns_for_a_family_of_one_are_refused_where_they_are_bound(family: str) -> None:
    name = family.partition("(")[0]
    message = rf"the {name} family needs a response of one column, but '{{}}' has 2; give one of them, or a family of"
    for table in (PAIRS, nf.data.from_frame(PAIRS)):
        with pytest.raises(ValueError, match=message.format(r"cbind\(a, b\)")):
            FIT("cbind(a, b) ~ x", table, family)
    with pytest.raises(ValueError, match=message.format("y")):
        nf.DistributionalRegression(PAIRS[["a", "b"]].to_numpy(), PAIRS[["x"]], family)


KINDS: dict[str, Callable[[Any], Any]] = {
    "csr": sparse.csr_matrix,
    "coo": sparse.coo_matrix,
    "csc array": sparse.csc_array,
    "tabmat": lambda x: tabmat.SplitMatrix(
        [tabmat.DenseMatrix(np.array(x[:, :1])), tabmat.SparseMatrix(sparse.csc_matrix(x[:, 1:]))]
    ),
    "list": lambda x: x.tolist(),
    "frame": pd.DataFrame,
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_left_out_of_designs_of_any_kind(kind: str) -> None:
    rng = np.random.default_rng(4)
    x = np.column_stack([np.ones(200), rng.normal(size=200)])
    y = rng.poisson(np.exp(x @ [0.5, 0.3])).astype(float)
    holes = np.where(np.arange(200) == 3, np.nan, y)
    rest = np.arange(200) != 3
    made = nf.DistributionalRegression(holes, {"rate": KINDS[kind](x)}, "poisson", missing="drop").fit()
    wanted = nf.DistributionalRegression(y[rest], {"rate": x[rest]}, "poisson").fit()
    np.testing.assert_allclose(made.params, np.asarray(wanted.params), rtol=1e-10)
    glm = nf.GLM(holes, KINDS[kind](x), family="poisson", missing="drop").fit()
    np.testing.assert_allclose(glm.params, np.asarray(wanted.params), rtol=1e-8)


def test_a_checkpoint_of_another_link_of_classes_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "fit.json"
    FIT("normal + mild + severe ~ logt", PNEUMO, "cumulative").fit(checkpoint=path)
    with pytest.raises(ValueError, match=r"its family is .*and here it is .*link='probit'"):
        FIT("normal + mild + severe ~ logt", PNEUMO, "cumulative", links="probit").fit(checkpoint=path)


def test_families_of_classes_say_what_they_are() -> None:
    assert repr(Cumulative()) == "Cumulative()"
    assert repr(Cumulative("probit", False, "<=")) == "Cumulative(link='probit', parallel=False, direction='<=')"
    assert repr(Multinomial("a", classes=["a", "b"])) == "Multinomial(J=2, baseline='a')"
