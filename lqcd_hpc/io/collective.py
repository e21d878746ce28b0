"""Errors that all ranks see together, so that none is left waiting for one that failed."""

from __future__ import annotations

from errno import errorcode

from ..errors import LqcdError, MachineError

_HINTS = {
    "ENOSPC": "free some space or choose another directory",
    "EDQUOT": "your quota is used up: free some space or choose another directory",
    "EFBIG": "the file would exceed the size limit (ulimit -f)",
    "EACCES": "check its permissions",
    "EPERM": "check its permissions",
    "EROFS": "choose a directory that can be written",
    "ENOENT": "check the path, and make its directory first",
    "ENOTDIR": "check the path",
    "EISDIR": "name a file, not a directory",
}


def on_root(comm, step):
    """The result of `step()` on rank 0, on every rank; its failure is raised on every rank as `LqcdError`."""
    result, error = _attempt(step) if comm.rank == 0 else (None, None)
    result, problem = comm.bcast((result, _problem(error)))
    _raise(error, [problem])
    return result


def everywhere(comm, step):
    """The result of `step()` on this rank; if it failed on any, all raise the first message."""
    result, error = _attempt(step)
    _raise(error, comm.allgather(_problem(error)))
    return result


def _attempt(step):
    try:
        return step(), None
    except Exception as error:
        return None, error


def _raise(error, problems):
    """An error of the program itself keeps its traceback on the rank where it happened."""
    if error is not None and not isinstance(error, (LqcdError, OSError, MemoryError, RuntimeError)):
        raise error
    for problem in problems:
        if problem:
            kind, message = problem
            raise kind(message) from None


def _problem(error):
    """(kind, message) of what all ranks raise."""
    if error is None:
        return None
    if isinstance(error, LqcdError):
        return (MachineError if isinstance(error, MachineError) else LqcdError), str(error)
    if isinstance(error, OSError):
        return MachineError, os_message(error)
    if isinstance(error, MemoryError):
        return LqcdError, "not enough memory for this rank's part of the lattice: use more ranks or single precision"
    return LqcdError, f"{type(error).__name__}: {error}"


def os_message(error):
    """One sentence for an error of the operating system, with the way out where there is one."""
    name = f"{error.filename}: " if error.filename else ""
    hint = _HINTS.get(errorcode.get(error.errno))
    return name + (error.strerror or str(error)) + (f"; {hint}" if hint else "")
