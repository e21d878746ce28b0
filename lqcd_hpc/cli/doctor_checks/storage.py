"""Disks and files: HDF5, the kernel cache, and free space."""

from __future__ import annotations

import os
import shutil

from .check import FAULT, NOTE, Check, attempt

SCARCE = 2**30


def checks():
    """HDF5, the kernel cache, and the disk of this directory."""
    yield _hdf5()
    yield attempt("kernel cache", _cache, "export LQCD_CACHE=/a/directory/that/all/ranks/can/write")
    yield _space()


def _hdf5():
    try:
        import h5py
    except ImportError as error:
        return Check("HDF5", str(error), FAULT, "pip install h5py")
    version = f"h5py {h5py.__version__}, HDF5 {h5py.version.hdf5_version}"
    if h5py.get_config().mpi:
        return Check("HDF5", "parallel", text=f"{version}, parallel")
    return Check(
        "HDF5",
        "serial",
        text=f"{version}, serial: ranks write one after another (a parallel h5py is used where there is one)",
    )


def _cache():
    from ...backend.compiler import cache_directory
    from ..output import size

    path = cache_directory()
    stored = [file.stat().st_size for file in path.glob("*.so")]
    free = shutil.disk_usage(path).free
    text = f"{path}: {len(stored)} kernels, {size(sum(stored))}, {size(free)} free"
    if free < SCARCE // 10:
        return Check("kernel cache", str(path), NOTE, "export LQCD_CACHE=/a/directory/with/space", text)
    return Check("kernel cache", str(path), text=text)


def _space():
    from ..output import size

    here = os.getcwd()
    free = shutil.disk_usage(here).free
    text = f"{size(free)} free in {here}"
    if not os.access(here, os.W_OK):
        return Check("disk", free, NOTE, "cd to a directory that you can write", f"{text}, which you cannot write")
    if free < SCARCE:
        return Check("disk", free, NOTE, "free some space, or run elsewhere", text)
    return Check("disk", free, text=text)
