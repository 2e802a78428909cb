"""Profile limits against R's, solved there to machine precision, and the Wald limits beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import natfit as nf

CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parent / "reference" / "inference.json").read_text(encoding="utf-8"))
    if case["kind"] == "profile_ci"
}
TENSION = "C(tension, levels=['L', 'M', 'H'])"
MODELS: dict[str, tuple[str, str, str | None]] = {
    "profile_beetles_logit": ("I(killed / n) ~ dose", "binomial", "n"),
    "profile_budworm_logit": ("I(numdead / n) ~ C(sex) + ldose", "binomial", "n"),
    "profile_menarche_logit": ("I(Menarche / Total) ~ Age", "binomial", "Total"),
    "profile_dobson_poisson": ("counts ~ C(outcome) + C(treatment)", "poisson", None),
    "profile_crabs_poisson": ("sat ~ width + C(color)", "poisson", None),
    "profile_warpbreaks_poisson": (f"breaks ~ C(wool) * {TENSION}", "poisson", None),
    "profile_clotting_gamma": ("lot1 ~ log(u)", "gamma", None),
}
DIGITS = 0.5e-7


def r_name(name: str) -> str:
    """Return R's name of a coefficient: "sexM" for "C(sex)[T.M]"."""
    name = name.replace(TENSION, "C(tension)").replace("Intercept", "(Intercept)")
    return name.replace("C(", "").replace(")[T.", "").replace("]", "")


def test_no_case_is_left_out() -> None:
    assert set(CASES) == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_profile_and_wald_limits(name: str) -> None:
    case: dict[str, Any] = CASES[name]
    formula, family, trials = MODELS[name]
    fit = nf.GLM.from_formula(formula, nf.datasets.load(Path(case["data"]).stem), family=family, trials=trials).fit()
    assert sorted(map(r_name, fit.params.index)) == sorted(case["limits"])
    for method, expected in (("profile", case["limits"]), ("wald", case["wald"])):
        limits = fit.conf_int(1.0 - case["level"], method=method)
        for label, ours in limits.iterrows():
            theirs = np.array(expected[r_name(label)])
            assert np.all(np.abs(ours - theirs) <= DIGITS * np.maximum(np.abs(theirs), fit.bse[label])), (method, label)
