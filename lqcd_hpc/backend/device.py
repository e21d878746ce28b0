"""The backend in use: CPU, or GPU where asked for. The rest of the package calls these functions only."""

from __future__ import annotations

import ctypes
import os
from functools import cache

from . import cpu


class Step(ctypes.Structure):
    """One launch of a sequence (runtime.cpp)."""

    _fields_ = [
        ("function", ctypes.c_void_p),
        ("arguments", ctypes.c_void_p),
        ("begin", ctypes.c_int64),
        ("end", ctypes.c_int64),
        ("replicas", ctypes.c_int64),
    ]


@cache
def current():
    """The backend module: `LQCD_DEVICE` is "cpu" (default) or "cuda".

    Raises `LqcdError` if a GPU is asked for and absent.
    """
    if os.environ.get("LQCD_DEVICE", "cpu") == "cuda":
        from . import cuda

        cuda.require()
        return cuda
    return cpu


def lanes(item_size):
    return current().lanes(item_size)


def load(program):
    return current().load(program)


def default_threads(ranks_on_node):
    return cpu.default_threads(ranks_on_node)


def steps(launches):
    """The C array of a sequence of (function, argument address, items, replicas)."""
    array = (Step * len(launches))()
    for step, (function, address, items, replicas) in zip(array, launches):
        step.function = ctypes.cast(function, ctypes.c_void_p)
        step.arguments, step.begin, step.end, step.replicas = address, items.begin, items.end, replicas
    return array


def run_sequence(array, repeat):
    cpu.runtime().run_sequence(array, ctypes.c_int64(len(array)), ctypes.c_int64(repeat))
