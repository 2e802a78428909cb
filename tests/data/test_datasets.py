"""The data sets: every file is described, loads as its index says, and names that are near are suggested."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from natfit import datasets

REFERENCE = Path(__file__).parent.parent / "textbook" / "reference"
NAMES = datasets.names()


def test_every_file_is_indexed():
    folder = datasets.path("crabs").parent
    assert sorted(file.stem for file in folder.glob("*.csv")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_index_agrees_with_the_file(name):
    with datasets.path(name).open(newline="") as file:
        header, *rows = csv.reader(file)
    index = json.loads((datasets.path(name).parent / "index.json").read_text())
    assert list(index[name]["columns"]) == header
    assert datasets.load(name).shape == (index[name]["rows"], len(header)) == (len(rows), len(header))
    assert datasets.load(name).notna().all(axis=None)


@pytest.mark.parametrize("name", NAMES)
def test_sources_hold_what_describe_says(name):
    sources = (datasets.path(name).parent / "SOURCES.md").read_text()
    assert f"\n## {name}.csv\n\n{datasets.describe(name)}\n" in sources


@pytest.mark.parametrize("file", ["public.json", "inference.json"])
def test_levels_are_those_of_the_reference_cases(file):
    for case in json.loads((REFERENCE / file).read_text()):
        frame = datasets.load(case["data"].removesuffix(".csv"))
        for column, levels in (case.get("levels") or {}).items():
            if isinstance(frame[column].dtype, pd.CategoricalDtype):
                assert list(frame[column].cat.categories) == levels
            else:
                assert sorted(frame[column].unique()) == levels


def test_numbers_whose_levels_are_sorted_stay_numbers():
    assert pd.api.types.is_integer_dtype(datasets.load("ships")["year"])
    assert datasets.load("gasoline")["batch"].cat.categories[0] == 10


def test_each_load_is_a_copy():
    first = datasets.load("ships")
    first.loc[0, "service"] = -1
    assert datasets.load("ships").loc[0, "service"] == 127


def test_describe_lists_them_all():
    table = datasets.describe()
    assert list(table.index) == NAMES
    assert list(table.columns) == ["title", "rows", "columns", "source"]
    assert table.loc["crabs", "rows"] == 173


@pytest.mark.parametrize("function", [datasets.load, datasets.path, datasets.describe])
def test_unknown_name(function):
    with pytest.raises(ValueError, match=r"no data set is called 'Crab'; did you mean 'crabs'; datasets.names\(\)"):
        function("Crab")
