"""The backend in use: CPU, or GPU where asked for. The rest of the package calls these functions only."""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager
from functools import cache

from ..errors import LqcdError
from . import cpu, host

_recorded = None  # programs, while `recording` is on


@cache
def current():
    """The module that compiles and launches: `LQCD_DEVICE` is "cpu" (default) or "cuda".

    Raises `LqcdError` for another name, or if a GPU is asked for and absent.
    """
    wanted = os.environ.get("LQCD_DEVICE") or "cpu"
    if wanted not in ("cpu", "cuda"):
        raise LqcdError(f'LQCD_DEVICE = {wanted!r}: choose "cpu" or "cuda"')
    if wanted == "cpu":
        return cpu
    from . import cuda

    cuda.require()
    return cuda


@cache
def arrays():
    """The module that holds the arrays which kernels of `current()` work on."""
    return host if current() is cpu else current()


def lanes(item_size):
    """Lanes of a number of `item_size` bytes, and lanes of a memory block."""
    return current().lanes(item_size)


def load(program):
    """The compiled launch function `(address of the arguments, begin, end, replicas)`."""
    if _recorded is not None:
        _recorded[program] = None
        return _idle
    return current().load(program)


@contextmanager
def recording():
    """A dry run: kernels are neither compiled nor run, but noted in the dict that this gives (Program -> None)."""
    global _recorded
    before, _recorded = _recorded, {}
    try:
        yield _recorded
    finally:
        _recorded = before


def is_recording():
    """Whether this is a dry run, in which no sum means anything."""
    return _recorded is not None


@ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
def _idle(arguments, begin, end, replicas):
    pass


def default_threads(ranks_on_node):
    """Threads of this rank (backend/cpu.py)."""
    return cpu.default_threads(ranks_on_node)


# ---- arrays where kernels work


def allocate(shape, dtype):
    """A zeroed array for a field. Raises `LqcdError` if memory does not suffice."""
    return arrays().allocate(shape, dtype)


def zeros(shape, dtype):
    """A small zeroed array."""
    return arrays().zeros(shape, dtype)


def address(array):
    """The address of an array of `allocate` or `zeros`, for kernels."""
    return arrays().address(array)


def table(array):
    """The address at which kernels find a numpy array that nobody changes; valid as long as that array lives."""
    return arrays().table(array)


def to_host(array):
    """The values as a numpy array (the same memory on the CPU)."""
    return arrays().to_host(array)


def write(target, values, where=True):
    """target <- values (a numpy array, or one of ours), where the numpy mask holds."""
    arrays().write(target, values, where)


def convert(target, origin, sources, reals):
    """Copy a field's buffer to one of another precision or order of sites: slot s of the target is slot sources[s] of
    the origin."""
    arrays().convert(target, origin, sources, reals)


# ---- sequences


def steps(launches):
    """A sequence of (function, argument address, items, replicas) in the form that `run_sequence` takes."""
    return arrays().steps(launches)


def run_sequence(sequence, repeat):
    """Run the launches one after another, `repeat` times."""
    arrays().run_sequence(sequence, repeat)


# ---- messages


def message(count, dtype, comm):
    """Memory for `count` numbers that are packed from fields and sent through `comm`, or the other way."""
    return arrays().message(count, dtype, comm)


def wire(message):
    """The buffer of a message that MPI reads and writes."""
    return arrays().wire(message)


def sends_in_place():
    """Whether MPI may read and write the memory of fields itself."""
    return arrays().IN_PLACE


def move(verb, message, position, memory, slots, blocks, reals, group):
    """ "pack" slots of a field's buffer into a message from number `position` on, or "unpack" them.

    A slot has `reals` numbers, `group` slots form a memory block; `blocks`: block numbers if slots are whole blocks.
    """
    arrays().move(verb, message, position, memory, slots, blocks, reals, group)


def collect(messages):
    """After packing: bring the messages to where MPI reads them."""
    arrays().collect(messages)


def deliver(messages):
    """Before unpacking: bring the messages from where MPI wrote them."""
    arrays().deliver(messages)
