"""Every test here runs on each rank of a job. Each rank writes what it begins and how it ends to its file, so
that test_mpi_suite.py can say which rank failed, or hangs, in which test."""

import json
import os
from pathlib import Path

import pytest

_NAMES = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK")
_RANK = int(next((os.environ[name] for name in _NAMES if name in os.environ), 0))
_FOLDER = os.environ.get("LQCD_MPI_REPORT")


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.mpi)


def _write(**record):
    if _FOLDER:
        with open(Path(_FOLDER) / f"rank-{_RANK}.jsonl", "a") as file:
            file.write(json.dumps(record) + "\n")


def pytest_runtest_logstart(nodeid):
    _write(begins=nodeid)


def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        _write(test=report.nodeid, outcome=report.outcome, text="" if report.skipped else report.longreprtext)


def pytest_sessionfinish(session, exitstatus):
    from mpi4py import MPI

    _write(ended=int(exitstatus), size=MPI.COMM_WORLD.size)
