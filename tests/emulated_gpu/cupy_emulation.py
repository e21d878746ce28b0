"""What the GPU backend asks of CuPy, done by numpy and g++: the text that NVRTC gets runs on the CPU (threads.h)."""

import ctypes
import hashlib
import re
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from lqcd_hpc.backend import compiler, cuda, device

HERE = Path(__file__).parent
_ENTRY = 'extern "C" void entry_{0}(unsigned g, unsigned b, void** p) {{ emulated::run(thread_{0}, g, b, p); }}\n'
_THREAD = "static void thread_{0}(void** p) {{ emulated::call({0}, p); }}\n"


class Array(np.ndarray):
    """An array of GPU memory: CuPy's attributes on a numpy array."""

    @property
    def data(self):
        return SimpleNamespace(ptr=self.ctypes.data)

    def get(self, out, blocking):
        out[...] = self

    def set(self, values):
        self[...] = values


class RawModule:
    """Kernels of a source, compiled by g++."""

    def __init__(self, code, options):
        assert any("fmad=false" in option for option in options)
        names = re.findall(r"^MOVE\((\w+),", code, re.M)
        names = names or re.findall(r'extern "C" __global__ void (?:__launch_bounds__\(\d+\)\s)?(\w+)\(', code)
        text = f'#include "{HERE}/threads.h"\n{code}' + "".join((_THREAD + _ENTRY).format(name) for name in names)
        digest = hashlib.sha256((HERE / "threads.h").read_bytes()).hexdigest()  # the cache must know what is included
        self._library = ctypes.CDLL(str(compiler.build(f"// {digest}\n{text}", "emulated")))

    def get_function(self, name):
        return SimpleNamespace(kernel=SimpleNamespace(ptr=getattr(self._library, f"entry_{name}")))


def launch_kernel(kernel, grid, y, z, block, v, w, shared, stream, parameters, extra):
    assert (y, z, v, w, shared, stream, extra) == (1, 1, 1, 1, 0, 1, 0) and grid > 0
    kernel(ctypes.c_uint(grid), ctypes.c_uint(block), ctypes.c_void_p(parameters))


class Stream:
    """The one stream: everything is done at once."""

    ptr = 1

    def use(self):
        pass

    def synchronize(self):
        pass


STREAM = Stream()
cupy = SimpleNamespace(
    zeros=lambda shape, dtype: np.zeros(shape, dtype).view(Array),
    empty=lambda shape, dtype: np.full(shape, 7, dtype).view(Array),
    full=lambda shape, value, dtype: np.full(shape, value, dtype).view(Array),
    asarray=lambda values: np.array(values).view(Array),
    asnumpy=lambda array: np.array(array),
    copyto=np.copyto,
    RawModule=RawModule,
    cuda=SimpleNamespace(
        get_current_stream=lambda: STREAM,
        alloc_pinned_memory=bytearray,
        driver=SimpleNamespace(launchKernel=launch_kernel),
        memory=SimpleNamespace(OutOfMemoryError=MemoryError),
    ),
)


def run_sequence(sequence, repeat):
    """What a CUDA graph does that is launched so many times."""
    for _ in range(repeat):
        cuda._enqueue(sequence)


@contextmanager
def emulated_gpu():
    """Lattices made inside live on an emulated GPU."""
    before, require, run = (device.current, device.arrays), cuda.require, cuda.run_sequence
    cuda.require, cuda.run_sequence = lambda: cupy, run_sequence
    device.current = device.arrays = lambda: cuda
    try:
        yield cupy
    finally:
        device.current, device.arrays = before
        cuda.require, cuda.run_sequence = require, run
        cuda.load.cache_clear()
        cuda._moves.cache_clear()
