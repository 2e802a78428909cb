"""Mixtures that were saved and loaded say what they said, to the last bit, and refuse what needs their rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import natfit as nf
from natfit.models.storage.parts import RowsNeeded
from natfit.results.storage import StorageError


def rows(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    second = rng.random(300) < 0.4
    made = pd.DataFrame({"a": rng.normal(size=300) + 4.0 * second, "b": rng.normal(size=300) - 3.0 * second})
    made["count"] = rng.poisson(np.where(second, 9.0, 2.0)).astype(float)
    made["yes"] = (rng.random(300) < np.where(second, 0.8, 0.2)).astype(float)
    return made


FITS: dict[str, tuple[dict[str, Any], list[str], dict[str, Any]]] = {
    "free": ({"family": "gaussian"}, ["a", "b"], {}),
    "VVE": ({"family": "gaussian", "covariance": "VVE"}, ["a", "b"], {"cov_type": "robust"}),
    "noise": ({"family": "gaussian", "noise": True}, ["a", "b"], {}),
    "poisson": ({"family": "poisson"}, ["count"], {}),
    "zeros": ({"family": "poisson", "zero_inflated": True, "n_components": 1}, ["count"], {}),
    "shared": ({"family": "gaussian", "shared": ["variance"]}, ["a"], {}),
    "unlike": (
        {"family": {("a", "b"): "gaussian", "count": "poisson", "yes": "bernoulli"}},
        ["a", "b", "count", "yes"],
        {},
    ),
    "holes": ({"family": "gaussian"}, ["a", "b"], {"missing": "observed"}),
}


@pytest.fixture(scope="module", params=FITS, ids=list(FITS))
def fit(request: pytest.FixtureRequest) -> nf.MixtureResults:
    model, columns, options = FITS[request.param]
    table = rows()[columns]
    if "missing" in options:
        table.loc[::7, "a"] = np.nan
    return nf.Mixture(**{"n_components": 2, **model}).fit(table, n_init=3, random_state=0, **options)


def without_date(fit: Any) -> list[str]:
    return [line for line in str(fit.summary()).splitlines() if not line.startswith(("Date", "Time"))]


def test_a_loaded_mixture_says_what_it_said(fit: nf.MixtureResults, tmp_path: Path) -> None:
    fit.save(tmp_path / "fit.natfit")
    again = nf.load(tmp_path / "fit.natfit")
    for name in ("params", "bse", "weights", "missing_information"):
        pd.testing.assert_series_equal(getattr(again, name), getattr(fit, name), check_exact=True)
    assert (again.llf, again.bic, again.icl, again.df, again.em_rate) == (
        fit.llf,
        fit.bic,
        fit.icl,
        fit.df,
        fit.em_rate,
    )
    assert without_date(again) == without_date(fit)
    new = rows(1)[fit.columns]
    pd.testing.assert_frame_equal(again.predict_proba(new), fit.predict_proba(new), check_exact=True)
    pd.testing.assert_series_equal(again.score_samples(new), fit.score_samples(new), check_exact=True)
    pd.testing.assert_frame_equal(
        again.with_covariance("empirical").to(weights="log_odds").tidy(conf_int=True),
        fit.with_covariance("empirical").to(weights="log_odds").tidy(conf_int=True),
    )
    drawn, expected = again.sample(5, random_state=1)[0], fit.sample(5, random_state=1)[0]
    np.testing.assert_array_equal(drawn, expected)


def test_what_needs_the_rows_is_refused(fit: nf.MixtureResults, tmp_path: Path) -> None:
    fit.save(tmp_path / "fit.natfit")
    again = nf.load(tmp_path / "fit.natfit")
    for attempt in (again.predict, again.bootstrap, again.plot_convergence, lambda: again.model.fit(rows())):
        with pytest.raises(RowsNeeded):
            attempt()


def test_a_file_that_is_damaged_is_refused(tmp_path: Path) -> None:
    nf.Mixture("poisson").fit(rows()["count"], n_init=3, random_state=0).save(tmp_path / "fit.natfit")
    whole = (tmp_path / "fit.natfit").read_bytes()
    for at in range(0, len(whole), max(len(whole) // 40, 1)):
        (tmp_path / "fit.natfit").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(StorageError):
            nf.load(tmp_path / "fit.natfit")


def test_tidy_tells_components_and_terms_apart() -> None:
    fit = nf.Mixture("gaussian", 2).fit(rows()[["a", "b"]], n_init=3, random_state=0)
    table = fit.tidy(conf_int=True)
    own = table[(table.component == 1) & (table.term == "mean[b]")]
    assert own.estimate.item() == fit.params["mean[b][1]"]
    assert own.conf_low.item() == fit.conf_int()[0]["mean[b][1]"]
    logs = fit.to(weights="log_odds").tidy(exponentiate=True)
    assert logs.estimate[0] == pytest.approx(fit.weights[0] / fit.weights[1])
