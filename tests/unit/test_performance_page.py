"""docs/performance.md has the figures that were measured: its tables are those of the newest files of results."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "performance.md").read_text()


def tables():
    spec = importlib.util.spec_from_file_location("tables", ROOT / "benchmarks" / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["Dirac operators", "Dirac goals", "gauge kernels", "flows", "solvers"])
def test_the_page_has_the_table_of_the_newest_results(name):
    assert "\n".join(tables().tables()[name]) in PAGE, "take it from python benchmarks/tables.py"


def test_figures_in_the_text_are_those_of_the_results():
    gauge, flows = tables().newest("20*.json"), tables().newest("flows-*.json")
    machine, pair = gauge["machine"], flows["processes"]
    told = {
        "peak": machine["fma_peak_gflops"],
        "read": machine["huge_page_read_gbytes"],
        "triad": machine["triad_gbytes"],
        "sweep overhead": gauge["overhead"][0]["overhead_percent"],
        "step overhead": gauge["overhead"][1]["overhead_percent"],
        "replicas": gauge["replicas"]["ratio"],
        "two processes": 100 * pair["efficiency"],
        "two apart": 100 * pair["efficiency_apart"],
    }
    found = {name: value for value, name in re.findall(r"([\d.]+)<!-- ([a-z ]+) -->", PAGE)}
    assert set(found) == set(told)
    for name, value in found.items():
        digits = len(value.partition(".")[2])
        assert float(value) == round(told[name], digits), name
