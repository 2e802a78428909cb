"""Tables read by the name of their file, and everything that is not such a table refused in one sentence."""

import gzip
import sys

import pandas as pd
import pytest

from natfit import datasets
from natfit.data.files import READABLE, read_table

TABLE = pd.DataFrame({"a": [1.5, 2.25], "b": ["x", "y"]})


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    TABLE.to_parquet("table.parquet")
    TABLE.to_feather("table.feather")


def write(name, content, folder="."):
    path = f"{folder}/{name}" if folder != "." else name
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "a,b\n1.5,x\n2.25,y\n"),
        ("t.CSV", "a,b\r\n1.5,x\r\n2.25,y"),
        ("t.csv", "\n\na, b\n1.5, x\n2.25, y\n"),
        ("t.csv", 'a,"b"\n1.5,"x"\n2.25,"y"\n'),
        ("t.csv", "a;b\n1.5;x\n2.25;y\n"),
        ("t.csv", "a;b\n1,5;x\n2,25;y\n"),
        ("t.csv", "a\tb\n1.5\tx\n2.25\ty\n"),
        ("t.txt", "a\tb\n1.5\tx\n2.25\ty\n"),
        ("t.tsv", "a\tb\n1.5\tx\n2.25\ty\n"),
        ("t.csv", b"\xef\xbb\xbfa,b\n1.5,x\n2.25,y\n"),
        ("t.csv.gz", gzip.compress(b"a,b\n1.5,x\n2.25,y\n", mtime=0)),
        ("table.parquet", None),
        ("table.feather", None),
    ],
)
def test_tables(name, content):
    pd.testing.assert_frame_equal(read_table(name if content is None else write(name, content)), TABLE)


def test_cells():
    frame = read_table(write("t.csv", "one,two\n1,NA\n,3\n"))
    assert frame.isna().to_numpy().tolist() == [[False, True], [True, False]]
    assert list(read_table(write("t.tsv", "a, b\tc\n1\t2\n"))) == ["a, b", "c"]
    assert list(read_table(write("t.csv", "alone\n1\n2\n"))) == ["alone"]


@pytest.mark.parametrize("name", datasets.names())
def test_data_sets(name):
    assert read_table(datasets.path(name)).shape == datasets.load(name).shape


REFUSED = {
    ("t.csv", b""): "'t.csv' is empty; it needs a line of column names and a line for each row",
    ("t.csv", b" \n "): "'t.csv' is empty; it needs a line of column names and a line for each row",
    ("t.csv", b"a,b\n"): "'t.csv' has column names and no rows; it needs a line for each row",
    ("t.csv", b"1,2\n3,4\n"): "'t.csv' has numbers in its first line; it must begin with a line of column names",
    ("t.csv", b"a,a\n3,4\n"): "'t.csv' has several columns called 'a'; give each its own name",
    ("t.csv", b"PAR1..."): "'t.csv' holds Parquet, not the text that its name says; rename it to end in .parquet",
    (
        "t.csv",
        b"PK\x03\x04",
    ): "'t.csv' holds a zip archive (an Excel workbook is one), not the text that its name says; "
    "save the table as CSV or Parquet",
    ("t.csv", b"\x1f\x8b00"): "'t.csv' holds gzip, not the text that its name says; rename it to end in .gz",
    (
        "t.csv",
        b"ab\x00\x01",
    ): "'t.csv' holds binary data, not the text that its name says; save the table as CSV or Parquet",
    (
        "t.csv",
        "a,b\n1,2".encode("utf-16"),
    ): "'t.csv' holds UTF-16 text, not the text that its name says; save the table as CSV or Parquet",
    ("t.csv", b"<html><body>"): f"'t.csv' holds HTML or XML, not a table; {READABLE}",
    ("t.csv", b'{"a": 1}'): f"'t.csv' holds JSON, not a table; {READABLE}",
    ("t.csv", b"a,b\ncaf\xe9,1\n"): "'t.csv' is not UTF-8 text (byte 0xe9 at position 7); save it as UTF-8",
    (
        "t.csv",
        b"a,b\n1,2\n1,2,3\n",
    ): "'t.csv' can't be read as a table: Expected 2 fields in line 3, saw 3; mend the file or save it again",
    (
        "t.csv",
        b"a,b\n1,2,3\n1,2,3\n",
    ): "'t.csv' can't be read as a table: rows have more cells than there are column names; "
    "mend the file or save it again",
    ("t.csv.gz", b"\x1f\x8bxx"): "'t.csv.gz' can't be read as gzip: ",
    (
        "t.parquet",
        b"a,b\n1,2\n",
    ): "'t.parquet' holds text, not the Parquet that its name says; rename it to end in .csv, if it is a table",
    ("t.parquet", b"PAR1 and no more"): "'t.parquet' can't be read as Parquet: ",
    (
        "t.feather",
        b"PAR1 and no more",
    ): "'t.feather' holds Parquet, not the Feather that its name says; rename it to end in .parquet",
    ("t.xlsx", b"PK\x03\x04"): f"'t.xlsx' is not a kind of file that can be read: {READABLE}; save the sheet as CSV",
    ("t.sav", b"x"): f"'t.sav' is not a kind of file that can be read: {READABLE}; save the table as CSV or Parquet",
}


@pytest.mark.parametrize(("name", "content"), REFUSED)
def test_refused(name, content):
    with pytest.raises(ValueError, match=r"^.*$") as caught:
        read_table(write(name, content))
    assert str(caught.value).startswith(REFUSED[name, content])


def test_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^there is no file 'tabel.parquet'; did you mean 'table.parquet'\?$"):
        read_table("tabel.parquet")
    with pytest.raises(FileNotFoundError, match=r"^there is no file 'no/t.csv', and no folder 'no' either$"):
        read_table("no/t.csv")
    with pytest.raises(ValueError, match=r"is a folder; name a file in it$"):
        read_table(tmp_path)


def test_without_pyarrow(monkeypatch):
    for name in [each for each in sys.modules if each.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        ImportError, match=r'^Parquet files need pyarrow; install it with: pip install "natfit\[parquet\]"$'
    ):
        read_table("table.parquet")
