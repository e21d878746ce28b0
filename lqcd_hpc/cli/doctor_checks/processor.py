"""The processor: its name, cores, affinity, and the width of its vectors."""

from __future__ import annotations

import os
import platform

from .check import NOTE, Check


def checks():
    """Processor, cores that this process may use, threads, SIMD width."""
    yield Check("processor", processor_name())
    yield _affinity()
    yield _threads()
    yield _simd()


def processor_name():
    """The model name as the system gives it."""
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.lower().startswith(("model name", "cpu model")):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _affinity():
    mine, all_cores = sorted(os.sched_getaffinity(0)), os.cpu_count() or 1
    text = f"{len(mine)} of {all_cores}" + (f" (bound to {','.join(map(str, mine))})" if len(mine) < all_cores else "")
    return Check("cores", len(mine), text=text)


def _threads():
    from ...backend import device

    threads, cores = device.default_threads(1), len(os.sched_getaffinity(0))
    if threads > cores:
        return Check(
            "threads",
            threads,
            NOTE,
            f"export OMP_NUM_THREADS={cores}",
            f"{threads} threads on {cores} core(s)",
        )
    return Check("threads", threads)


def _simd():
    from ...backend import cpu
    from ...errors import LqcdError

    try:
        width = cpu.simd_bytes()
    except LqcdError:  # the compiler's own check says why
        return Check("SIMD width", None, NOTE, "mend the compiler first")
    return Check("SIMD width", 8 * width, text=f"{8 * width} bits ({width // 8} doubles)")
