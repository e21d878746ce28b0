"""Arrays, messages and sequences of the CPU backend: numpy arrays, and C loops over them (runtime.cpp)."""

from __future__ import annotations

import ctypes

import numpy as np

from . import cpu
from .memory import allocate

IN_PLACE = True  # MPI reads and writes the memory of fields
_WORD = {4: "uint32_t", 8: "uint64_t"}


class Step(ctypes.Structure):
    """One launch of a sequence (runtime.cpp)."""

    _fields_ = [
        ("function", ctypes.c_void_p),
        ("arguments", ctypes.c_void_p),
        ("begin", ctypes.c_int64),
        ("end", ctypes.c_int64),
        ("replicas", ctypes.c_int64),
    ]


def zeros(shape, dtype):
    """A small zeroed array."""
    return np.zeros(shape, dtype)


def address(array):
    """Where kernels find an array."""
    return array.ctypes.data


table = address


def to_host(array):
    """The array as a numpy array."""
    return array


def write(target, values, where=True):
    """target <- values where the mask holds."""
    np.copyto(target, values, where=where)


def convert(target, origin, sources, reals):
    """Copy a buffer to one of another precision or order of sites, slot by slot."""
    runtime, single = cpu.runtime(), np.float32
    if target.dtype == origin.dtype:
        function = runtime.reorder_float if target.dtype == single else runtime.reorder_double
    else:
        function = runtime.narrow if target.dtype == single else runtime.widen
    group, blocks = target.shape[-1], len(sources) // target.shape[-1]
    places = (ctypes.c_void_p(a.ctypes.data) for a in (origin, target, sources))
    function(*places, *(ctypes.c_int64(n) for n in (blocks, reals, group, origin.shape[-1])))


def steps(launches):
    """The launches of a sequence in the form that `run_sequence` takes."""
    array = (Step * len(launches))()
    for step, (function, arguments, items, replicas) in zip(array, launches):
        step.function = ctypes.cast(function, ctypes.c_void_p)
        step.arguments, step.begin, step.end, step.replicas = arguments, items.begin, items.end, replicas
    return array


def run_sequence(array, repeat):
    """Run them one after another."""
    cpu.runtime().run_sequence(array, ctypes.c_int64(len(array)), ctypes.c_int64(repeat))


def message(count, dtype, comm):
    """Memory of a message."""
    return np.empty(count, dtype)


def wire(message):
    """What MPI reads and writes."""
    return message


def collect(messages):
    """Nothing to do: messages were packed where they are sent from."""


deliver = collect


def move(verb, message, position, memory, slots, blocks, reals, group):
    """Pack slots of a field into a message, or unpack them."""
    runtime, size = cpu.runtime(), memory.dtype.itemsize
    packed = ctypes.c_void_p(message.ctypes.data + position * size)
    place = ctypes.c_void_p(memory.ctypes.data)
    if blocks is not None:
        bytes_of_block = ctypes.c_int64(reals * group * size)
        function = getattr(runtime, f"{verb}_blocks")
        function(packed, place, ctypes.c_void_p(blocks.ctypes.data), ctypes.c_int64(len(blocks)), bytes_of_block)
        return
    function = getattr(runtime, f"{verb}_{_WORD[size]}")
    count, reals, group = (ctypes.c_int64(n) for n in (len(slots), reals, group))
    function(packed, place, ctypes.c_void_p(slots.ctypes.data), count, reals, group)


__all__ = ["Step", "address", "allocate", "collect", "convert", "deliver", "message", "move", "run_sequence", "steps"]
__all__ += ["table", "to_host", "wire", "write", "zeros"]
