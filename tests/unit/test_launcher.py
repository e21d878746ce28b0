"""The driver of the MPI tests notices a failing rank, a hang, singletons, and a rank that never starts."""

import os
from pathlib import Path

import launcher
import pytest
from test_mpi_suite import find_faults, run_folder

pytestmark = pytest.mark.mpirun

PASSES = "def test_passes(): pass\n"
FAILS = """
from mpi4py import MPI
def test_fails():
    assert MPI.COMM_WORLD.rank == 0
    MPI.COMM_WORLD.barrier()
"""
HANGS = """
from mpi4py import MPI
def test_hangs():
    if MPI.COMM_WORLD.rank == 0:
        MPI.COMM_WORLD.recv(source=1)
"""


def planted(tmp_path, text):
    """A folder with one file of tests and the conftest of tests/mpi; and a folder for reports."""
    folder, reports = tmp_path / "mpi", tmp_path / "reports"
    folder.mkdir()
    reports.mkdir()
    (folder / "conftest.py").write_text((Path(__file__).parents[1] / "mpi" / "conftest.py").read_text())
    (folder / "test_planted.py").write_text(text)
    return folder, reports


def test_a_failing_rank_is_named(mpirun, tmp_path):
    folder, reports = planted(tmp_path, PASSES + FAILS)
    faults = "\n".join(find_faults(run_folder(folder, 2, mpirun, reports), 2, reports))
    assert "rank 1: failed" in faults and "test_fails" in faults and "COMM_WORLD.rank == 0" in faults


@pytest.mark.parametrize("limits", [{"per_test": 3}, {"seconds": 6}], ids=["test", "job"])
def test_a_hang_is_ended_and_named(mpirun, tmp_path, limits):
    folder, reports = planted(tmp_path, HANGS)
    job = run_folder(folder, 2, mpirun, reports, **limits)
    faults = "\n".join(find_faults(job, 2, reports))
    assert "rank 0: did not end" in faults and "test_hangs" in faults
    assert not [p for p in Path("/proc").glob("[0-9]*/cmdline") if str(folder).encode() in _read(p)]


def test_singletons_are_noticed(mpirun, tmp_path, monkeypatch):
    """A launcher of another family starts N processes that each believe to be alone."""
    folder, reports = planted(tmp_path, PASSES)
    fake = tmp_path / "mpirun"
    fake.write_text('#!/bin/sh\nshift 2\nOMPI_COMM_WORLD_RANK=0 "$@"; OMPI_COMM_WORLD_RANK=1 exec "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("LQCD_MPIRUN", str(fake))
    faults = find_faults(run_folder(folder, 2, mpirun, reports), 2, reports)
    assert len(faults) == 2 and "saw a job of 1 ranks" in faults[0]


def test_a_rank_that_never_starts_is_noticed(tmp_path):
    job = launcher.Ended("mpirun", 0, "")
    assert find_faults(job, 2, tmp_path) == [f"rank {r}: never reported (did it start?)" for r in (0, 1)]


def test_outer_launcher_leaves_no_trace(monkeypatch):
    monkeypatch.setenv("PMIX_RANK", "3")
    assert "PMIX_RANK" not in launcher.environment() and launcher.environment()["OMP_NUM_THREADS"] == "1"
    assert "PMIX_RANK" in os.environ


def _read(path):
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
