"""Host memory of fields: aligned, on huge pages, released with its array."""

from __future__ import annotations

import ctypes
import weakref

import numpy as np

from ..errors import LqcdError
from . import cpu

WORTH_ASKING = 1 << 20  # bytes: smaller pieces are not worth the reading of two files


def allocate(shape, dtype):
    """A zeroed array on 2 MiB pages where the system grants them.

    Raises `LqcdError` if the machine has not that much memory left.
    """
    dtype = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if size > WORTH_ASKING and size > available():
        raise LqcdError(
            f"not enough memory: a field needs {size / 2**30:.2f} GiB, {available() / 2**30:.2f} GiB are free; "
            "use more nodes or a smaller lattice (lqcd-hpc plan shows the memory per rank)"
        )
    runtime = cpu.runtime()
    runtime.allocate.restype = ctypes.c_void_p
    runtime.allocate.argtypes = [ctypes.c_int64]
    runtime.release.argtypes = [ctypes.c_void_p, ctypes.c_int64]
    room = max(size, 64)
    address = runtime.allocate(room)
    if not address:
        raise LqcdError(f"not enough memory: the system refused {size / 2**30:.2f} GiB for a field")
    raw = (ctypes.c_char * room).from_address(address)
    weakref.finalize(raw, runtime.release, address, room)
    return np.frombuffer(raw, dtype, count=size // dtype.itemsize).reshape(shape)


def available():
    """Bytes that can still be allocated on this node: MemAvailable, less where a control group allows less."""
    free = _meminfo()
    for limit, used in (("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),):
        try:
            free = min(free, int(_text(limit)) - int(_text(used)))
        except (OSError, ValueError):
            continue
    return free


def _meminfo():
    try:
        for line in _text("/proc/meminfo").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 2**62


def _text(path):
    with open(path) as file:
        return file.read()
