"""Starting a small MPI job from the command line: which mpirun, and in which environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_STATE = ("OMPI_", "PMIX_", "PRTE_", "PMI_", "HYDRA_", "MPIR_CVAR_")
_SETTINGS = ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_MCA_", "PRTE_MCA_")


def mpirun():
    """The launcher as a list of words: $LQCD_MPIRUN, the one beside this Python, or the first on the path;
    None without one.
    """
    if chosen := os.environ.get("LQCD_MPIRUN"):
        return chosen.split()
    beside = Path(sys.executable).parent / "mpirun"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("mpirun") or shutil.which("mpiexec")
    return [found] if found else None


def environment(**extra):
    """This environment less what an outer job left in it, one thread per rank."""
    kept = {
        name: value for name, value in os.environ.items() if name.startswith(_SETTINGS) or not name.startswith(_STATE)
    }
    return {**kept, "OMP_NUM_THREADS": "1", **extra}


def as_root():
    """Settings that let Open MPI start as root and with more ranks than cores."""
    return {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
    }


def run_job(ranks, arguments, timeout, extra=None, launcher=None):
    """Run this Python with `arguments` on so many ranks; returns (exit code, stdout, stderr), code None after
    the timeout. `launcher`: the words that stand in for `mpirun()`.
    """
    words = [*(launcher or mpirun()), "-n", str(ranks), sys.executable, *arguments]
    job = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**(extra or {})),
        start_new_session=True,
    )
    try:
        out, err = job.communicate(timeout=timeout)
        return job.returncode, out, err
    except subprocess.TimeoutExpired:
        _end(job)
        return None, "", ""


def _end(job):
    """End the launcher (it ends its ranks), by force if it does not obey."""
    job.terminate()
    try:
        job.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        os.killpg(job.pid, 9)
        job.communicate()
