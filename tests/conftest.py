"""What every test may ask for: `mpirun` starts a job, `figure` notes a number of the long physics."""

import json
import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import launcher
import pytest

ROOT = Path(__file__).resolve().parent.parent
FIGURES = []
LONG = ("test_docs.py", "test_nvrtc.py", "test_training.py", "test_tutorial.py")

# tests/mpi is run by test_mpi_suite.py under mpirun; a plain pytest leaves it alone.
collect_ignore_glob = [] if launcher.UNDER_MPI else ["mpi/*"]


def pytest_addoption(parser):
    parser.addoption("--results", metavar="DIR", help="write the figures that tests note to a file in DIR")
    parser.addoption("--soak", metavar="MINUTES", default="30", help="how long tests/faults/test_soak.py disturbs runs")


def pytest_collection_modifyitems(items):
    """Jobs under mpirun come last, and after them those of SLURM: what is wrong serially is told first. Files that take
    minutes come before the others, so that two workers end together."""

    def place(item):
        later = [item.get_closest_marker(name) is not None for name in ("slurm", "mpirun")]
        return *later, any(later) or item.path.name not in LONG

    items.sort(key=place)


@pytest.fixture
def mpirun():
    """`mpirun(ranks, arguments, timeout=120, extra=None, cwd=None)` gives what `launcher.launch` gives."""
    if launcher.UNDER_MPI or not launcher.mpirun():
        pytest.skip("no mpirun here, or already under one")

    def run(ranks, arguments, timeout=120, extra=None, cwd=None):
        return launcher.launch(ranks, arguments, timeout, extra, cwd)

    return run


@pytest.fixture
def figure(request):
    """`figure(name, value, error=None, expected=None)` notes a number for `make test-all` to write down."""

    def note(name, value, error=None, expected=None):
        numbers = {"value": value, "error": error, "expected": expected}
        known = {key: number for key, number in numbers.items() if number is not None}
        FIGURES.append({"test": request.node.nodeid, "name": name} | known)

    return note


def pytest_sessionstart(session):
    session.started = time.time()


def pytest_sessionfinish(session, exitstatus):
    folder = session.config.getoption("--results")
    if not folder or launcher.UNDER_MPI:
        return
    now = datetime.now(UTC)
    commit = _commit()
    report = {
        "commit": commit,
        "date": now.isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "seconds": round(time.time() - session.started, 1),
        "passed": int(exitstatus) == 0,
        "tests": session.testscollected,
        "failed": session.testsfailed,
        "figures": FIGURES,
    }
    path = Path(folder) / f"tests-{now:%Y%m%d-%H%M%S}-{commit}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")


def _commit():
    """The commit of the tree, marked where the tree differs from it."""
    command = ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return told.stdout.strip() if told.returncode == 0 else "unknown"


def _processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()
