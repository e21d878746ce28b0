"""GPU backend: site kernels by NVRTC, arrays in GPU memory, messages by way of pinned host memory. Needs CuPy.

Everything runs in one stream, in order. Nothing here was timed on a GPU yet (docs/gpu.md).
"""

from __future__ import annotations

import ctypes
import os
import weakref
from functools import cache

import numpy as np

from ..errors import LqcdError
from . import compiler
from .cuda_source import MOVES, OPTIONS, SHARED_SUMS, THREADS, source
from .program import KERNELS

NAME = "cuda"
GROUP = 32  # lanes of a memory block: a warp reads whole lines
IN_PLACE = False  # MPI must not read before kernels are done: messages are packed, and `collect` waits
PIECE = 2**20  # items of a launch whose sums go to global bins: 2^20 terms of less than 2^40 in a bin
_LOCAL_RANK = ("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "MV2_COMM_WORLD_LOCAL_RANK", "PALS_LOCAL_RANKID")
_LOCAL_RANK += ("FLUX_TASK_LOCAL_ID", "SLURM_LOCALID")
_streams = []  # the stream in use, kept alive


def lanes(item_size):
    """One lane per thread, in memory blocks of a warp."""
    return 1, GROUP


@cache
def require():
    """CuPy, with this rank's GPU chosen: the number of the rank on its node, modulo the number of GPUs.

    Raises `LqcdError` if there is no CuPy or no GPU.
    """
    try:
        import cupy
    except ImportError as error:
        raise LqcdError(
            f"a GPU is asked for (LQCD_DEVICE=cuda) and CuPy is absent ({error}): pip install 'lqcd_hpc[cuda13]' "
            "(driver 580 or later) or 'lqcd_hpc[cuda12]', or leave LQCD_DEVICE out"
        ) from None
    try:
        count = cupy.cuda.runtime.getDeviceCount()
        problem = "the driver sees no device (CUDA_VISIBLE_DEVICES?)"
    except cupy.cuda.runtime.CUDARuntimeError as error:
        count, problem = 0, str(error)
    if count == 0:
        raise LqcdError(
            f"a GPU is asked for (LQCD_DEVICE=cuda) and absent: {problem}; leave LQCD_DEVICE out to run on the CPU"
        )
    cupy.cuda.Device(local_rank() % count).use()
    stream = cupy.cuda.Stream()
    stream.use()
    _streams.append(stream)
    return cupy


def local_rank():
    """The number of this process on its node as the launcher tells it; 0 without a launcher."""
    told = (os.environ.get(name, "") for name in _LOCAL_RANK)
    return next((int(number) for number in told if number.isdigit()), 0)


# ---- kernels


class Function:
    """A kernel instance, called as the functions of the CPU backend are: (args address, begin, end, replicas)."""

    def __init__(self, program):
        # CuPy keeps binaries by their source, which must therefore name the headers' contents
        text = f"// {compiler.headers_digest()}\n{source(program)}"
        module = self._module = require().RawModule(code=text, options=(*OPTIONS, f"-I{KERNELS}"))
        self._sums, self._args = program.sums, program.arguments
        self._launch = module.get_function("launch").kernel.ptr  # loads it: a graph could not
        self._carry = module.get_function("carry_rows").kernel.ptr if program.sums else None
        self._piece = PIECE if program.sums > SHARED_SUMS else 2**40

    def __call__(self, arguments, begin, end, replicas):
        for start in range(begin, end, self._piece):
            stop = min(start + self._piece, end)
            launch(self._launch, stop - start, arguments, ctypes.c_int64(start), ctypes.c_int64(stop))
            if self._carry is not None:
                bins = ctypes.c_int64(self._args.from_address(arguments).bins)
                launch(self._carry, replicas * self._sums, bins, ctypes.c_int64(replicas * self._sums))


def launch(kernel, items, *parameters):
    """Launch one thread per item. Parameters are ctypes numbers, or addresses of structs that CUDA copies by value."""
    places = [p if isinstance(p, int) else ctypes.addressof(p) for p in parameters]
    array = (ctypes.c_void_p * len(places))(*places)
    blocks, cupy = -(-items // THREADS), require()
    stream = cupy.cuda.get_current_stream().ptr
    cupy.cuda.driver.launchKernel(kernel, blocks, 1, 1, THREADS, 1, 1, 0, stream, ctypes.addressof(array), 0)


@cache
def load(program):
    """The launch function of a kernel instance."""
    return Function(program)


def steps(launches):
    """The launches of a sequence."""
    return list(launches)


def run_sequence(sequence, repeat):
    """Launches are put into the stream one by one; a sequence that is repeated becomes a CUDA graph."""
    if repeat == 1:
        _enqueue(sequence)
        return
    stream = require().cuda.get_current_stream()
    stream.begin_capture()
    _enqueue(sequence)
    graph = stream.end_capture()
    for _ in range(repeat):
        graph.launch(stream)
    stream.synchronize()  # the graph must live until it has run


def _enqueue(sequence):
    for function, arguments, items, replicas in sequence:
        if items.count > 0:
            function(arguments, items.begin, items.end, replicas)


# ---- arrays


def allocate(shape, dtype):
    """A zeroed array in GPU memory."""
    cupy = require()
    try:
        return cupy.zeros(shape, dtype)
    except cupy.cuda.memory.OutOfMemoryError:
        free, total = (n / 2**30 for n in cupy.cuda.runtime.memGetInfo())
        size = np.prod(shape, dtype=float) * np.dtype(dtype).itemsize / 2**30
        raise LqcdError(
            f"not enough GPU memory: a field needs {size:.2f} GiB, {free:.2f} of {total:.2f} GiB are free; "
            "use more GPUs or a smaller lattice (lqcd-hpc plan shows the memory per rank)"
        ) from None


zeros = allocate


def address(array):
    """Where kernels find an array."""
    return array.data.ptr


_tables = {}  # id of a numpy array -> its copy in GPU memory, as long as the numpy array lives


def table(array):
    """Where kernels find a numpy array that nobody changes: it is copied to the GPU once."""
    key = id(array)
    if key not in _tables:
        _tables[key] = require().asarray(np.ascontiguousarray(array))
        weakref.finalize(array, _tables.pop, key, None).atexit = False
    return address(_tables[key])


def to_host(array):
    """The array as a numpy array; waits for all launches before."""
    return require().asnumpy(array)


def write(target, values, where=True):
    """target <- values where the mask holds."""
    cupy = require()
    if where is True:
        target[...] = cupy.asarray(values)
    else:
        cupy.copyto(target, cupy.asarray(values), where=cupy.asarray(where))


def convert(target, origin, sources, reals):
    """Copy a buffer to one of another precision: slots are the same for all on a GPU, where a number has one lane."""
    blocks = min(len(target), len(origin))
    target[:blocks] = origin[:blocks]


# ---- messages


class Message:
    """A message in GPU memory, and what MPI reads and writes: pinned host memory, or the same GPU memory."""

    def __init__(self, count, dtype, direct):
        self.packed = require().empty(count, dtype)
        self.wire = self.packed if direct else pinned(count, dtype)
        self.staged = not direct


def pinned(count, dtype):
    """A numpy array in page-locked host memory."""
    memory = require().cuda.alloc_pinned_memory(max(1, count) * np.dtype(dtype).itemsize)
    return np.frombuffer(memory, dtype, count)


def message(count, dtype, comm):
    """Memory of a message."""
    return Message(count, dtype, mpi_reads_gpu_memory(comm))


def wire(message):
    """What MPI reads and writes."""
    return message.wire


def collect(messages):
    """GPU to host, then wait: MPI must not send what is not there yet."""
    for one in messages:
        if one.staged:
            one.packed.get(out=one.wire, blocking=False)
    require().cuda.get_current_stream().synchronize()


def deliver(messages):
    """Host to GPU, in the stream; host buffers are filled again only after the next `collect` has waited."""
    for one in messages:
        if one.staged:
            one.packed.set(one.wire)


def move(verb, message, position, memory, slots, blocks, reals, group):
    """Pack slots of a field into a message, or unpack them."""
    size = memory.dtype.itemsize
    packed = ctypes.c_void_p(address(message.packed) + position * size)
    numbers = [ctypes.c_int64(n) for n in (len(slots), reals, group)]
    places = (packed, ctypes.c_void_p(address(memory)), ctypes.c_void_p(table(slots)))
    if len(slots):
        launch(_moves().get_function(f"{verb}_{size}").kernel.ptr, len(slots) * reals, *places, *numbers)


@cache
def _moves():
    return require().RawModule(code=MOVES, options=OPTIONS)


_direct = weakref.WeakKeyDictionary()  # communicator -> whether its MPI reads and writes GPU memory


def mpi_reads_gpu_memory(comm):
    """Whether messages go to MPI straight from GPU memory: LQCD_CUDA_MPI=1 asks for it, and a test message arrives.

    Collective over `comm` on its first call. Raises `LqcdError` if the test message does not arrive as it was sent.
    """
    if os.environ.get("LQCD_CUDA_MPI") != "1" or comm.size == 1:
        return False
    if comm not in _direct:
        _direct[comm] = _send_round(comm)
    if not _direct[comm]:
        raise LqcdError("LQCD_CUDA_MPI=1, but this MPI library does not send GPU memory: leave LQCD_CUDA_MPI out")
    return True


def _send_round(comm):
    """Send a word to the next rank and take one from the previous, from and to GPU memory."""
    cupy = require()
    sent, received = cupy.full(1024, comm.rank, np.int64), cupy.full(1024, -1, np.int64)
    cupy.cuda.get_current_stream().synchronize()
    channel = comm.channel([((comm.rank + 1) % comm.size, sent)], [((comm.rank - 1) % comm.size, received)])
    channel.start()
    channel.finish()
    right = bool((to_host(received) == (comm.rank - 1) % comm.size).all())
    return comm.allreduce(int(right), "min") == 1
