"""docs/faults.md has what was counted: its table is that of the files of results that it names."""

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_is_that_of_the_recorded_counts():
    page = (ROOT / "docs" / "faults.md").read_text()
    files = re.findall(r"benchmarks/results/faults-[\d-]+\.json", page)
    spec = importlib.util.spec_from_file_location("fault_table", ROOT / "benchmarks" / "fault_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert files and "\n".join(module.table(ROOT / name for name in files)) in page
