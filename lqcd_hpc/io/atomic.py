"""A file appears under its name only when it is whole."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path

from .collective import on_root


@contextmanager
def replacing(path, comm):
    """A temporary name beside `path`; on leaving it is synced and renamed to `path`, after an error it is
    removed.

    Collective. The temporary name is the final one with `.part` added, so that what a killed job left behind
    is overwritten by the next attempt and never mistaken for a result.
    """
    path = Path(path)
    temporary = path.with_name(path.name + ".part")
    on_root(comm, lambda: _refuse_directory(path))
    try:
        yield temporary
        comm.barrier()
        on_root(comm, lambda: _publish(temporary, path))
    except BaseException:
        if comm.rank == 0:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        raise


def reserve(path, size):
    """Create `path` with `size` bytes of real disk space: a full disk shows before data are written."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        if size:
            os.posix_fallocate(handle, 0, size)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        os.close(handle)


def sync(path):
    """Wait until the bytes of a file, or the entries of a directory, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refuse_directory(path):
    if path.is_dir():
        raise IsADirectoryError(21, os.strerror(21), str(path))


def _publish(temporary, path):
    sync(temporary)
    os.replace(temporary, path)
    sync(path.parent)
