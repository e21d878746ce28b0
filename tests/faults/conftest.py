"""What is tried is counted: `tried(fault, what, outcome)` for the table of docs/faults.md (`--results=DIR`)."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import fault_runs
import launcher
import pytest

TRIED = Counter()


@pytest.fixture
def tried():
    """`tried(fault, where, outcome)` counts one trial."""

    def count(fault, where, outcome):
        TRIED[fault, where, outcome] += 1

    return count


@pytest.fixture(scope="session")
def quiet(tmp_path_factory):
    """(folder, digests by kind) of runs of every kind that nothing disturbed."""
    fault_runs.warm_up(tmp_path_factory.mktemp("warm"))
    folder, found = tmp_path_factory.mktemp("quiet"), {}
    for kind in fault_runs.KINDS:
        done = fault_runs.run(fault_runs.run_file(folder, kind))
        assert done.code == 0, done.output
        found[kind] = fault_runs.history(folder / kind)
        assert len(found[kind]) > 3
    return folder, found


def pytest_sessionfinish(session):
    folder = session.config.getoption("--results")
    if not folder or launcher.UNDER_MPI or not TRIED:
        return
    now = datetime.now(UTC)
    rows = [{"fault": f, "where": w, "outcome": o, "times": n} for (f, w, o), n in sorted(TRIED.items())]
    path = Path(folder) / f"faults-{now:%Y%m%d-%H%M%S}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"date": now.isoformat(timespec="seconds"), "tried": rows}, indent=1) + "\n")
