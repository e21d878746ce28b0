"""What happens when a verb fails: one message, an exit code, and no rank left waiting."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from contextlib import suppress

from ..errors import LqcdError, Terminated

BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130
LONGEST = 20_000  # characters of a message
GRACE = 1.0  # seconds that other ranks leave to rank 0 to report a failure that they all share
_RANK_VARIABLES = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "MV2_COMM_WORLD_RANK", "SLURM_PROCID")


def rank_in_job():
    """This process's rank by the launcher's environment, without starting MPI (0 without a launcher)."""
    for name in (*_RANK_VARIABLES, *(["RANK"] if _by_torchrun() else [])):
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return 0


def _by_torchrun():
    """Whether processes were started by torchrun, or by a script in its manner."""
    return {"RANK", "WORLD_SIZE", "MASTER_ADDR"} <= set(os.environ)


def report_failure(error, debug=False):
    """Print what went wrong and end all ranks of the job with the exit code that fits. Does not return."""
    message, code = describe(error, debug)
    rank = rank_in_job()
    _flush()
    if not several_ranks():
        _print(message)
        sys.exit(code)
    if isinstance(error, Terminated):
        _leave(rank, message, code)
    if rank > 0:
        time.sleep(GRACE)  # rank 0 ends the job meanwhile if it failed too
        message = f"rank {rank}: {message}"
    _print(message)
    _abort(code)


def describe(error, debug=False):
    """(message, exit code) for an exception; tracebacks go to a file unless `debug`.

    >>> describe(LqcdError("no such lattice"))
    ('no such lattice', 2)
    """
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", INTERRUPTED
    if isinstance(error, Terminated):
        return str(error), error.code
    text = "".join(traceback.format_exception(error)) if debug else ""
    if isinstance(error, LqcdError):
        return text + str(error), BAD_INPUT
    if isinstance(error, MemoryError):
        way = "use more ranks or a smaller lattice (lqcd-hpc plan shows the memory per rank)"
        return f"{text}not enough memory: {way}", FAILED
    name = type(error).__name__
    if debug:
        return f"{text}unexpected {name}", FAILED
    return f"unexpected {name}: {error}\n{_keep(error)}", FAILED


def _keep(error):
    """Write the traceback to a file and say where it is."""
    try:  # a name that nobody can foresee: others may write in that directory too
        handle, path = tempfile.mkstemp(".txt", f"lqcd-hpc-error-{os.getpid()}-")
        with open(handle, "w") as file:
            file.write("".join(traceback.format_exception(error)))
    except OSError:
        return "repeat with --debug to see the traceback"
    return f"the traceback is in {path} (--debug prints it)"


def several_ranks():
    """Whether this process is one of several of a job."""
    from ..lattice.communicator import launched_size

    size = launched_size() or (int(os.environ["WORLD_SIZE"]) if _by_torchrun() else 1)
    return size > 1


def _leave(rank, message, code):
    """End in order, where all ranks do. Rank 0 goes last and alone has the code: the launcher kills those it leaves
    behind, and would give their code for that of the job."""
    if "mpi4py.MPI" in sys.modules:
        from ..lattice.communicator import world

        with suppress(LqcdError):
            world().finalize()
    if rank > 0:
        os._exit(0)
    _print(message)
    time.sleep(GRACE)
    os._exit(code)


def _abort(code):
    """End every rank. Before MPI is up the launcher does it when it sees the exit code of this process."""
    if "mpi4py.MPI" in sys.modules:
        from ..lattice.communicator import world

        with suppress(LqcdError):  # launcher and MPI do not know each other: every process ends by itself
            world().abort(code)
    os._exit(code)


def _print(message):
    with suppress(OSError, ValueError):
        print(_shown(message), file=sys.__stderr__, flush=True)


def _shown(message):
    """A message as a terminal may show it: what it quotes from files holds no control characters, and is no book.

    >>> _shown("group 'SU\x1b[2J(3)'")
    "group 'SU?[2J(3)'"
    """
    if len(message) > LONGEST:
        message = f"{message[: LONGEST // 2]} ... {message[-LONGEST // 2 :]}"
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in message)


def _flush():
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
