"""Shared by all tests."""

import sys
from collections.abc import Iterator

import pytest

# statsmodels puts a filter of its own ("always") in front when its warnings are first imported; imported here, before any
# test begins, it comes behind pytest's "error".
import natfit.results.warnings  # noqa: F401


def pytest_collection_modifyitems(items):
    """Refuse names of tests that differ from run to run: workers would collect different ones."""
    unstable = [item.nodeid for item in items if " at 0x" in item.nodeid]
    assert not unstable, f"give these tests ids of their own: {unstable[:3]}"


@pytest.fixture(autouse=True)
def figures_closed() -> Iterator[None]:
    """Close what a test has drawn: pyplot counts figures over the whole process, and warns at the twentieth."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let rows stream by in tables of 500, so that data of a test's size have several."""
    for module in ("natfit.data.streams.tables", "natfit.data.streams.parquet"):
        monkeypatch.setattr(f"{module}.TABLE_ROWS", 500)
