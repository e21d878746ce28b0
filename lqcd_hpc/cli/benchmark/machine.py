"""What this processor can do, measured: a STREAM triad, reads of memory on huge pages, multiply-adds in
registers.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from .timing import best_rate

_NUMBER = {"double": "double", "single": "float"}


@cache
def library(precision="double"):
    """The compiled probes of machine.cpp."""
    from ...backend import compiler, cpu

    text = f"#define REAL {_NUMBER[precision]}\n#define BYTES {cpu.simd_bytes()}\n"
    text += Path(__file__).with_name("machine.cpp").read_text()
    loaded = ctypes.CDLL(str(compiler.build(text, f"machine-{precision}")))
    for function in (loaded.fma_peak, loaded.triad, loaded.read_all):
        function.restype = ctypes.c_double
    return loaded


def fma_peak(threads=1, precision="double", comm=None):
    """Multiply-adds in registers, in flop/s (one multiply-add counts two); all ranks of `comm` together."""
    probe = library(precision)
    return best_rate(lambda: probe.fma_peak(ctypes.c_int64(1_000_000), ctypes.c_int64(threads)), comm)


def triad(threads=1, megabytes=256, comm=None):
    """STREAM triad a = b + 3 c in bytes/s (24 per element; write-allocate not counted)."""
    probe, count = library(), megabytes * 2**20 // 24
    arrays = [_memory(8 * count).view(np.float64) for _ in range(3)]
    addresses = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
    rest = (ctypes.c_int64(count), ctypes.c_int64(1), ctypes.c_int64(threads))
    return best_rate(lambda: probe.triad(*addresses, *rest), comm)


def read(bytes_read, threads=1, comm=None):
    """Reading the same `bytes_read` again and again, on huge pages, in bytes/s."""
    probe, size = library(), max(65536, bytes_read // 65536 * 65536)
    data = _memory(size)
    repeat = max(1, 2**25 // size)
    address = ctypes.c_void_p(data.ctypes.data)
    rest = (ctypes.c_int64(size), ctypes.c_int64(repeat), ctypes.c_int64(threads))
    return best_rate(lambda: probe.read_all(address, *rest), comm)


def copy(size, comm=None):
    """Copying `size` bytes where fields live, in bytes/s read and written."""
    from ...backend import device

    origin, target = (device.allocate((max(1, size // 16), 1), np.float64) for _ in range(2))
    times = max(1, 2**28 // size)

    def run():
        for _ in range(times):
            target[...] = origin
        device.to_host(target[:1])  # waits
        return 16 * len(origin) * times

    return best_rate(run, comm)


def _memory(size):
    from ...backend import memory

    return memory.allocate((size,), np.uint8)


def fields_in_host_memory():
    """Whether kernels work on the memory that the probes of machine.cpp read."""
    from ...backend import device

    return isinstance(device.allocate((1, 1), np.float64), np.ndarray)


@dataclass
class Machine:
    """The roofline of the ranks of `comm` together: min(multiply-add peak, read bandwidth x intensity).

    The bandwidth is that of a working set as large as the kernel's on every rank, so that fields in a cache are judged
    by that cache. Where fields live in the memory of a GPU, it is the bandwidth of copies there, and the peak is left
    out (infinite): no kernel of this package comes near it.
    """

    threads: int
    precision: str
    comm: object = None
    peak: float = float("inf")
    _reads: dict = field(default_factory=dict)

    def __post_init__(self):
        self._on_host = fields_in_host_memory()
        if self._on_host:
            self.peak = fma_peak(self.threads, self.precision, self.comm)

    def bandwidth(self, working_set):
        """Bytes/s of reading a working set of so many bytes on every rank (measured once per power of two)."""
        size = min(1 << max(16, int(working_set - 1).bit_length()), 2**28)
        if size not in self._reads:
            reading = self._on_host
            self._reads[size] = read(size, self.threads, self.comm) if reading else copy(size, self.comm)
        return self._reads[size]

    def limit(self, flops, traffic, working_set):
        """The highest flop/s for so many flops and bytes."""
        return min(self.peak, self.bandwidth(working_set) * flops / traffic)

    def summary(self):
        """The headline numbers, for results."""
        return {
            "threads": self.threads,
            "ranks": self.comm.size if self.comm else 1,
            "precision": self.precision,
            "fma_peak_gflops": self.peak / 1e9,
            "triad_gbytes": triad(self.threads, comm=self.comm) / 1e9,
            "huge_page_read_gbytes": self.bandwidth(2**28) / 1e9,
        }
