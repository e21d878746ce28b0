"""The table of docs/faults.md, printed from the files of counts that the page names:

    python benchmarks/fault_table.py benchmarks/results/faults-*.json

tests/faults write such a file with `--results`; tests/unit/test_faults_page.py holds the page to them.
"""

import json
import sys
from pathlib import Path


def table(paths):
    """Lines: what was tried, on what, what happened, how often."""
    rows = {}
    for path in paths:
        for one in json.loads(Path(path).read_text())["tried"]:
            places, times = rows.get((one["fault"], one["outcome"]), ({}, 0))
            rows[one["fault"], one["outcome"]] = places | {one["where"]: None}, times + one["times"]
    lines = ["| what was done | to what | what happened | times |", "| --- | --- | --- | --- |"]
    return lines + [
        f"| {fault} | {'; '.join(places)} | {outcome} | {times} |"
        for (fault, outcome), (places, times) in sorted(rows.items())
    ]


if __name__ == "__main__":
    print("\n".join(table(sys.argv[1:])))
