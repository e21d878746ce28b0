"""Ranks and nodes that are lost: all others end within seconds, and the next start goes on to the same bits."""

import time

import fault_jobs
import fault_runs
import launcher
import pytest

COUNT = 200
FAULTS = ["SIGKILL of one rank", "SIGKILL of all ranks at once", "SIGKILL of mpirun", "SIGUSR1 to mpirun"]

pytestmark = pytest.mark.mpirun


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Digests of the run on one rank."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert fault_runs.run(fault_runs.run_file(folder, "generate", COUNT)).code == 0
    return fault_runs.history(folder / "generate")


@pytest.mark.parametrize("fault", FAULTS)
def test_all_ranks_end_and_the_next_start_goes_on(fault, undisturbed, tmp_path, tried):
    if launcher.UNDER_MPI or not launcher.mpirun():
        pytest.skip("no mpirun here, or already under one")
    path = fault_runs.run_file(tmp_path, "generate", COUNT)
    job = fault_jobs.MpiJob(path)
    while job.running() and len(fault_jobs.checkpoints(tmp_path)) < 2:
        time.sleep(0.01)
    assert fault_jobs.SIGNALS[fault](job, fault_jobs.seeded(1)), job.output()
    code, seconds = job.wait()
    assert code not in (0, None) and seconds < 60, job.output()
    assert "Traceback" not in job.output() and "unexpected" not in job.output(), job.output()
    assert fault != "SIGUSR1 to mpirun" or code == 138 and "SIGUSR1: the run ended after" in job.output(), job.output()
    done = fault_runs.run(path)
    assert done.code == 0 and "resuming after" in done.output, done
    assert fault_runs.history(tmp_path / "generate") == undisturbed
    tried(fault, "generate, 2 ranks, goes on with 1", "all ranks end, goes on to the bits of a quiet run")
