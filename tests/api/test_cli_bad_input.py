"""Bad input on the command line: one line on standard error, status 2, no traceback, and nothing written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import natfit as nf

Run = Callable[..., Any]


def assert_refused(status: int, out: str, err: str, said: str) -> None:
    assert (status, out) == (2, "")
    assert err.startswith("natfit: error: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert said in err


USAGE = {
    "no formula": ([], "FORMULA"),
    "no data": (["y ~ x"], "--data"),
    "unknown option": (["y ~ x", "--data", "crabs", "--famly", "poisson"], "Did you mean '--family'?"),
    "two formulas": (["y ~ x", "z ~ x", "--data", "crabs"], "(z ~ x)"),
    "no value": (["y ~ x", "--data"], "--data"),
    "choice": (["y ~ x", "--data", "crabs", "--missing", "keep"], "'drop', 'raise'"),
    "number": (["y ~ x", "--data", "crabs", "--maxiter", "many"], "--maxiter"),
    "maxiter": (["y ~ x", "--data", "crabs", "--maxiter", "0"], "--maxiter"),
    "alpha": (["y ~ x", "--data", "crabs", "--alpha", "1.5"], "between 0 and 1"),
    "alpha nan": (["y ~ x", "--data", "crabs", "--alpha", "nan"], "between 0 and 1"),
    "start": (["y ~ x", "--data", "crabs", "--start", "1,two"], "'two'"),
    "dispersion": (["y ~ x", "--data", "crabs", "--dispersion", "pears"], "pearson, deviance, ml"),
    "dispersion sign": (["y ~ x", "--data", "crabs", "--dispersion", "-1"], "above 0"),
    "suffix": (["y ~ x", "--data", "crabs", "--output", "t.xlsx"], ".html"),
    "folder": (["y ~ x", "--data", "crabs", "--output", "none/t.html"], "no folder 'none'"),
}


@pytest.mark.parametrize("case", USAGE)
def test_a_wrong_command_line_is_refused(case: str, run: Run) -> None:
    argv, said = USAGE[case]
    assert_refused(*run("fit", *argv), said)


def test_a_wrong_command_is_refused(run: Run) -> None:
    assert_refused(*run("ft"), "did you mean 'fit'")
    assert_refused(*run("--quiet"), "--quiet")
    assert_refused(*run("datasets", "ship"), "did you mean 'ships'")


POISSON = ["--data", "crabs", "--family", "poisson"]
BETA = ["--data", "gasoline", "--family", "beta"]
FIT = {
    "missing column": (["sat ~ widht", *POISSON], "did you mean 'width'"),
    "name of the command's own code": (["sat ~ asked", *POISSON], "no column 'asked'"),
    "no response": (["~ width", *POISSON], "names no response"),
    "unreadable formula": (["sat ~ (width", *POISSON], "can't read the formula"),
    "unknown function": (["sat ~ lgo(width)", *POISSON], "lgo()"),
    "unknown family": (["sat ~ width", "--data", "crabs", "--family", "poison"], "did you mean 'poisson'"),
    "family of no GLM": (["sat ~ width", "--data", "crabs", "--family", "wishart"], "a GLM takes one of binomial"),
    "family's constant": (["sat ~ width", "--data", "crabs", "--family", "tweedie(3)"], "between 1 and 2"),
    "unknown link": (["sat ~ width", *POISSON, "--link", "lgo"], "did you mean 'log'"),
    "link of another range": (["sat ~ width", *POISSON, "--link", "logit"], "logit"),
    "exposure without log": (["sat ~ width", *POISSON, "--link", "sqrt", "--exposure", "width"], "log link"),
    "exposure": (["sat ~ width", *POISSON, "--exposure", "-width"], "above zero"),
    "offset": (["sat ~ width", *POISSON, "--offset", "widht"], "did you mean 'width'"),
    "negative weights": (["sat ~ width", *POISSON, "--freq-weights", "width-30"], "negative"),
    "weights of zero": (["sat ~ width", *POISSON, "--var-weights", "0*width"], "zero in all 173 rows"),
    "zeros for gamma": (["sat ~ width", "--data", "crabs", "--family", "gamma"], "62 zero"),
    "negative counts": (["I(sat-1) ~ width", *POISSON], "62 negative"),
    "proportions": (["sat ~ width", "--data", "crabs", "--family", "binomial"], "between 0 and 1"),
    "no finite maximum": (["I(0*sat) ~ width", *POISSON], "no maximum"),
    "infinity": (["sat ~ I(1/(spine-1))", *POISSON], "infinite"),
    "levels": (["C(color) ~ width", *POISSON], "two levels"),
    "covariance": (["sat ~ width", *POISSON, "--cov-type", "HC9"], "HC9"),
    "tolerance": (["sat ~ width", *POISSON, "--tol", "-1"], "tolerance"),
    "start": (["sat ~ width", *POISSON, "--start", "1"], "Intercept, width"),
    "aliased": (["sat ~ width + I(2*width)", *POISSON, "--rank", "raise"], "linearly independent"),
    "new table's column": (["sat ~ width", *POISSON, "--predict", "ships", "out.csv"], "no column 'width'"),
    "new level": (["sat ~ C(spine)", *POISSON, "--predict", "levels.csv", "out.csv"], "unknown level 9"),
    "written over": (["a ~ b", "--data", "levels.csv", "--output", "./levels.csv"], "written over"),
    "no shipped data": (["sat ~ width", "--data", "crab"], "did you mean 'crabs'"),
    "no file": (["sat ~ width", "--data", "crabs.csv"], "--data crabs"),
    "a folder": (["sat ~ width", "--data", "."], "folder"),
    "empty": (["sat ~ width", "--data", "empty.csv"], "empty"),
    "no rows": (["a ~ b", "--data", "header.csv"], "no rows"),
    "no table": (["a ~ b", "--data", "page.csv"], "HTML"),
    "another format": (["a ~ b", "--data", "text.parquet"], "Parquet"),
    "unknown kind": (["a ~ b", "--data", "sheet.xlsx"], ".parquet"),
    "held": (["yield ~ temp", *BETA, "--fixed", "precision"], "--fixed takes PARAMETER=NUMBER, as in"),
    "held at words": (["yield ~ temp", *BETA, "--fixed", "precision=big"], "got 'precision=big'"),
    "two links": (["yield ~ temp", *BETA, "--link", "log", "--link", "precision=log"], "write PARAMETER=log"),
    "a link twice": (["yield ~ temp", *BETA, "--link", "mean=log", "--link", "mean=logit"], "mean was given twice"),
    "links of a GLM": (["sat ~ width", *POISSON, "--link", "mean=log"], "--link of a generalized linear model is one"),
    "constraint of a GLM": (["sat ~ width", *POISSON, "--constraint", "width=1"], "--constraint is for families with"),
    "unknown coefficient": (["yield ~ temp", *BETA, "--constraint", "mean:tmp = 1"], "did you mean 'mean:temp'"),
    "groups alone": (["sat ~ width", *POISSON, "--groups", "spine"], "the clusters of --cov-type cluster"),
    "clusters without groups": (["sat ~ width", *POISSON, "--cov-type", "cluster"], "needs the cluster of each row"),
    "unknown groups": (["sat ~ width", *POISSON, "--cov-type", "cluster", "--groups", "spin"], "did you mean 'spine'"),
    "stream of what does not": (["a ~ b", "--data", "sheet.xlsx", "--stream"], "--stream reads .parquet and .csv"),
    "stream of nothing": (["a ~ b", "--data", "none/*.parquet", "--stream"], "there is no .parquet file at"),
    "missing values": (["a ~ b", "--data", "gaps.csv", "--missing", "raise"], "missing values in 'b'"),
}


@pytest.fixture
def bad_files(tmp_path: Path) -> None:
    texts = {
        "levels.csv": "spine\n9\n",
        "empty.csv": "",
        "header.csv": "a,b\n",
        "page.csv": "<html><body>no table</body></html>\n",
        "text.parquet": "a,b\n1,2\n",
        "sheet.xlsx": "PK\x03\x04",
        "gaps.csv": "a,b\n1,2\n2,\n3,5\n4,4\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")


@pytest.mark.usefixtures("bad_files")
@pytest.mark.parametrize("case", FIT)
def test_bad_input_is_one_line_and_nothing_is_written(case: str, run: Run, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    argv, said = FIT[case]
    assert_refused(*run("fit", *argv), said)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["fit", "sat ~ widht", "--data", "crabs"], "did you mean 'width'"),
        (["fit", "sat ~ width", "--dta", "crabs"], "'--data'"),
        (["fit", "sat ~ width", "--data", "crabs", "--family", "gamma"], "above 0"),
    ],
)
def test_a_process_of_its_own_leaves_no_traceback(argv: list[str], said: str, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "natfit", *argv]
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert_refused(done.returncode, done.stdout, done.stderr, said)


def test_a_fault_of_natfit_s_own_keeps_its_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a fault")

    monkeypatch.setattr(nf.GLM, "fit", broken)
    with pytest.raises(KeyError):
        run("fit", "sat ~ width", *POISSON)
