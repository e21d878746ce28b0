"""Starts a program under mpirun from a test: bounded in time, and nothing is left running behind it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LAUNCHER_STATE = ("OMPI_COMM", "OMPI_MCA_orte", "PMIX_", "PMI_", "PRTE_", "SLURM_")
UNDER_MPI = any(name in os.environ for name in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"))


@dataclass(frozen=True)
class Ended:
    """How a job ended: `code` is None where it had to be stopped after its time."""

    command: str
    code: int | None
    output: str

    def __str__(self):
        how = "was stopped after its time" if self.code is None else f"ended with code {self.code}"
        return f"{self.command}\n{how}; its output ends with\n{self.output[-6000:]}"


def mpirun():
    """The launcher: LQCD_MPIRUN, or the one beside this python, or the first on the path; else None."""
    beside = Path(sys.executable).parent / "mpirun"
    return os.environ.get("LQCD_MPIRUN") or (str(beside) if beside.exists() else shutil.which("mpirun"))


def environment(extra=None):
    """This environment less what an outer job left in it: one thread per rank, more ranks than cores."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_LAUNCHER_STATE)}
    return (
        inherited
        | {
            "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
            "OMPI_MCA_rmaps_base_oversubscribe": "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONFAULTHANDLER": "1",
        }
        | (extra or {})
    )


def launch(ranks, arguments, timeout, extra=None, cwd=None):
    """Run `python -m mpi4py *arguments` on so many ranks (an exception on one rank then ends them all)."""
    command = [*mpirun().split(), "-n", str(ranks), sys.executable, "-m", "mpi4py", *map(str, arguments)]
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        job = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=environment(extra), cwd=cwd, start_new_session=True,
        )  # fmt: skip
        try:
            code = job.wait(timeout)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _stop(job)
        log.seek(0)
        return Ended(" ".join(command), code, log.read())


def _stop(job):
    """Ask the launcher to end its ranks, then end whatever is left of its session."""
    if job.poll() is None:
        job.terminate()
        with suppress(subprocess.TimeoutExpired):
            job.wait(10)
    for pid in _session(job.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    job.wait()


def _session(leader):
    """The living processes of a session: ranks may have process groups of their own, but keep the session."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = status.read_text().rsplit(")", 1)[1].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(session) == leader and state != "Z":
            found.append(int(status.parent.name))
    return found
