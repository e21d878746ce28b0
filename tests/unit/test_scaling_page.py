"""docs/scaling.md has the figures that were measured: its tables are those of the newest file of results."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "scaling.md").read_text()


@pytest.fixture
def made(monkeypatch):
    """benchmarks/scaling_tables.py."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    for name in ("tables", "scaling_tables"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import scaling_tables

    return scaling_tables


@pytest.mark.parametrize("name", ["goals", "strong scaling", "fits", "held out", "prediction"])
def test_the_page_has_the_table_of_the_newest_results(made, name):
    wanted = "\n".join(made.tables(made.newest("scaling-*.json"))[name])
    assert wanted in PAGE, "take it from python benchmarks/scaling_tables.py"
