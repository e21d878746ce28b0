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


def fma_peak(threads=1, precision="double"):
    """Multiply-adds in registers, in flop/s (one multiply-add counts two)."""
    probe = library(precision)
    return best_rate(lambda: probe.fma_peak(ctypes.c_int64(1_000_000), ctypes.c_int64(threads)))


def triad(threads=1, megabytes=256):
    """STREAM triad a = b + 3 c in bytes/s (24 per element; write-allocate not counted)."""
    probe, count = library(), megabytes * 2**20 // 24
    arrays = [_memory(8 * count).view(np.float64) for _ in range(3)]
    addresses = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
    rest = (ctypes.c_int64(count), ctypes.c_int64(1), ctypes.c_int64(threads))
    return best_rate(lambda: probe.triad(*addresses, *rest))


def read(bytes_read, threads=1):
    """Reading the same `bytes_read` again and again, on huge pages, in bytes/s."""
    probe, size = library(), max(65536, bytes_read // 65536 * 65536)
    data = _memory(size)
    repeat = max(1, 2**25 // size)
    address = ctypes.c_void_p(data.ctypes.data)
    rest = (ctypes.c_int64(size), ctypes.c_int64(repeat), ctypes.c_int64(threads))
    return best_rate(lambda: probe.read_all(address, *rest))


def _memory(size):
    from ...backend import memory

    return memory.allocate((size,), np.uint8)


@dataclass
class Machine:
    """The roofline of this process: min(multiply-add peak, read bandwidth x intensity).

    The bandwidth is that of a working set as large as the kernel's, so that fields in a cache are judged by
    that cache.
    """

    threads: int
    precision: str
    peak: float = 0.0
    _reads: dict = field(default_factory=dict)

    def __post_init__(self):
        self.peak = fma_peak(self.threads, self.precision)

    def bandwidth(self, working_set):
        """Bytes/s of reading a working set of so many bytes (measured once per power of two)."""
        size = 1 << max(16, int(working_set - 1).bit_length())
        if size not in self._reads:
            self._reads[size] = read(min(size, 2**28), self.threads)
        return self._reads[size]

    def limit(self, flops, traffic, working_set):
        """The highest flop/s for so many flops and bytes."""
        return min(self.peak, self.bandwidth(working_set) * flops / traffic)

    def summary(self):
        """The headline numbers, for results."""
        return {
            "threads": self.threads,
            "fma_peak_gflops": self.peak / 1e9,
            "triad_gbytes": triad(self.threads) / 1e9,
            "huge_page_read_gbytes": self.bandwidth(2**28) / 1e9,
        }
