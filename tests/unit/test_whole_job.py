"""All ranks of a job work together and leave together: no silent singletons, one exit code for an end in order."""

import os

import fault_runs
import pytest

from lqcd_hpc import LqcdError
from lqcd_hpc.cli.failure import describe
from lqcd_hpc.errors import Terminated
from lqcd_hpc.jobs.script import UNFINISHED
from lqcd_hpc.lattice.communicator import require_whole_job

RUN = """
[lattice]
shape = [4, 4, 4, 8]
group = "SU(3)"
[start]
kind = "cold"
[random]
seed = 3
[action]
kind = "wilson"
beta = 5.7
[[update]]
kind = "heatbath"
overrelaxation = 1
count = 9
[output]
directory = "{directory}"
report = false
"""
COMMAND = """
import sys
from lqcd_hpc.cli import main
sys.argv = ["lqcd-hpc", "run", sys.argv[1]]
main()
"""


@pytest.mark.parametrize(
    ("variables", "refused"),
    [
        ({"SLURM_NTASKS": "4", "SLURM_PROCID": "0"}, True),
        ({"SLURM_NTASKS": "1"}, False),
        ({"SLURM_NTASKS": "4", "SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"}, False),
        ({"SLURM_NTASKS": "4", "OMPI_COMM_WORLD_SIZE": "1"}, False),
    ],
)
def test_a_program_alone_in_a_job_of_several_tasks_is_refused(variables, refused, tmp_path, monkeypatch):
    """Where no launcher says that it started one process: whoever forgets srun."""
    from lqcd_hpc.run import execute

    for name in [name for name in os.environ if name.startswith(("SLURM_", "OMPI_COMM", "PMI"))]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    require_whole_job(4)
    if not refused:
        require_whole_job(1)
        return
    (tmp_path / "run.toml").write_text(RUN.format(directory=tmp_path / "out"))
    with pytest.raises(LqcdError, match="SLURM gave this job 4 tasks .* srun --mpi=pmix"):
        execute(tmp_path / "run.toml")
    assert not (tmp_path / "out").exists()


def test_job_scripts_know_the_exit_code_of_a_run_whose_time_was_up():
    assert describe(Terminated(10, "the run ended"))[1] == UNFINISHED == 138


@pytest.mark.mpirun
def test_two_ranks_end_in_order_with_the_exit_code_of_an_unfinished_run(mpirun, tmp_path):
    (tmp_path / "run.toml").write_text(RUN.format(directory=tmp_path / "out"))
    job = mpirun(2, ["-c", fault_runs.SIGNALLED.format(name="SIGUSR1") + COMMAND, tmp_path / "run.toml"])
    assert job.code == UNFINISHED and job.output.count("SIGUSR1: the run ended after 4 of 9 updates") == 1, job
    assert not any(word in job.output for word in ("MPI_ABORT", "rank 1:", "Traceback")), job
