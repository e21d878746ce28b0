"""Several processes train one flow: bring-up under mpirun, srun and torchrun, gradients, and a clean end."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from ...errors import LqcdError
from ...lattice.communicator import SerialCommunicator, launched_size, world

TIMEOUT = timedelta(seconds=300)
PATIENCE = timedelta(days=30)  # of processes that wait for one that works; one that is lost closes its connections
LOST = ("closed by peer", "reset by peer", "Broken pipe", "Timed out", "timed out", "Connection refused", "recvBytes")


@dataclass(frozen=True)
class Processes:
    """The processes of a job: `comm` with the verbs of lattice/communicator.py, the device of this one."""

    comm: Any = field(default_factory=SerialCommunicator)
    device: str = "cpu"

    @property
    def rank(self):
        return self.comm.rank

    @property
    def size(self):
        return self.comm.size

    def share(self, total, what):
        """This process's part (first, count) of a batch of `total`."""
        if total % self.size:
            raise LqcdError(
                f"{what} = {total} cannot be divided among {self.size} processes: choose a multiple of {self.size}"
            )
        count = total // self.size
        return self.rank * count, count

    def together(self, module):
        """The module, with gradients that are means over all processes."""
        if self.size == 1:
            return module
        index = torch.device(self.device).index
        ids = None if index is None else [index]
        parallel = torch.nn.parallel.DistributedDataParallel
        buffers = [name for name, _ in module.named_buffers()]  # masks and tables: the same everywhere from the start
        parallel._set_params_and_buffers_to_ignore_for_model(module, buffers)
        return parallel(module, ids, static_graph=True, gradient_as_bucket_view=True)

    def largest(self, number):
        """The largest of the whole numbers of all processes."""
        if self.size == 1:
            return number
        found = torch.tensor(int(number))
        dist.all_reduce(found, dist.ReduceOp.MAX)
        return int(found)

    def gather(self, tensor):
        """The tensors of all processes, stacked (processes, ...)."""
        if self.size == 1:
            return tensor[None]
        parts = [torch.empty_like(tensor) for _ in range(self.size)]
        dist.all_gather(parts, tensor)
        return torch.stack(parts)


@contextmanager
def processes():
    """The processes of this job, connected; on leaving without an error they part in an orderly way.

    Ranks come from MPI where it started them, else from the variables of torchrun or srun. A process that is lost
    raises `LqcdError` on the others.
    """
    made = _connected()
    try:
        yield made
        if made.size > 1:
            gc.collect()
            dist.barrier()
    except RuntimeError as error:
        if made.size > 1 and any(text in str(error) for text in LOST):
            raise LqcdError(
                "another process of this job ended or cannot be reached: its own message says why; start again, the "
                "run goes on from its last checkpoint"
            ) from error
        raise
    if made.size > 1:
        dist.destroy_process_group()


def _connected():
    if torch.cuda.is_available():
        local = _local_rank()
        device = f"cuda:{local % torch.cuda.device_count()}"
        torch.cuda.set_device(device)
    else:
        device = "cpu"
    if _by_variables():
        dist.init_process_group(_backend(), init_method="env://", timeout=TIMEOUT)
        return Processes(TorchCommunicator(), device)
    if (launched_size() or 1) == 1:
        return Processes(SerialCommunicator(), device)
    try:
        comm = world()
    except LqcdError:
        if "SLURM_PROCID" not in os.environ:
            raise
        return Processes(_by_slurm(), device)
    _threads(comm.local_size)
    single = comm.local_size == comm.size
    if single:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    host, port, store = None, None, None
    if comm.rank == 0:
        host = "127.0.0.1" if single else socket.gethostname()
        store = dist.TCPStore(host, 0, comm.size, True, TIMEOUT, wait_for_workers=False)
        port = store.port
    host, port = comm.bcast((host, port))
    store = store or dist.TCPStore(host, port, comm.size, False, TIMEOUT)
    dist.init_process_group(_backend(), store=store, rank=comm.rank, world_size=comm.size, timeout=TIMEOUT)
    return Processes(comm, device)


def _by_variables():
    """Whether a launcher such as torchrun has set the variables of torch's own bring-up."""
    return launched_size() is None and {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= set(os.environ)


def _by_slurm():
    """Bring-up from srun's variables, where MPI cannot see the other tasks."""
    names = os.environ.get("SLURM_STEP_NODELIST", os.environ.get("SLURM_NODELIST", ""))
    host = socket.gethostname()
    if int(os.environ.get("SLURM_STEP_NUM_NODES", "1")) > 1:
        shown = subprocess.run(["scontrol", "show", "hostnames", names], capture_output=True, text=True)
        host = (shown.stdout.split() or [host])[0]
    job, step = (int(os.environ.get(name, "0") or 0) for name in ("SLURM_JOB_ID", "SLURM_STEP_ID"))
    rank, size = int(os.environ["SLURM_PROCID"]), int(os.environ["SLURM_STEP_NUM_TASKS"])
    _threads(int(os.environ.get("SLURM_STEP_TASKS_PER_NODE", "1").split("(")[0].split(",")[0]))
    where = f"tcp://{host}:{20000 + (31 * job + step) % 20000}"
    dist.init_process_group(_backend(), init_method=where, rank=rank, world_size=size, timeout=TIMEOUT)
    return TorchCommunicator()


def _backend():
    return "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"


def _local_rank():
    for name in ("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "LOCAL_RANK", "SLURM_LOCALID"):
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return 0


def _threads(ranks_on_node):
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // ranks_on_node))


class TorchCommunicator:
    """The verbs of lattice/communicator.py that training needs, through torch.distributed."""

    def __init__(self):
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.local_rank = _local_rank()
        self._group = dist.new_group(backend="gloo", timeout=PATIENCE)

    def barrier(self):
        dist.barrier(self._group)

    def bcast(self, value, root=0):
        box = [value]
        dist.broadcast_object_list(box, root, self._group)
        return box[0]

    def allgather(self, value):
        found = [None] * self.size
        dist.all_gather_object(found, value, self._group)
        return found

    def allreduce(self, value, op="sum"):
        return {"sum": np.sum, "max": np.max, "min": np.min}[op](self.allgather(value), axis=0)

    def abort(self, code):
        os._exit(code)
