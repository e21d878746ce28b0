"""Memory: how much is free, how fast it is, and whether huge pages are granted."""

from __future__ import annotations

import os

from .check import NOTE, Check, attempt

SETTING = "/sys/kernel/mm/transparent_hugepage/enabled"


def checks():
    """Free memory, huge pages, bandwidth."""
    from ...backend.memory import available
    from ..output import size

    free = available()
    yield Check("free memory", free, text=size(free))
    yield _huge_pages()
    yield attempt("memory bandwidth", _bandwidth, "mend the compiler first")


def _huge_pages():
    try:
        with open(SETTING) as file:
            setting = file.read().split("[")[1].split("]")[0]
    except (OSError, IndexError):
        return Check("huge pages", None, NOTE, None, "the system does not tell")
    if setting == "never":
        return Check(
            "huge pages",
            setting,
            NOTE,
            f"echo madvise > {SETTING}   (as root)",
            "never: large lattices lose a third of the bandwidth",
        )
    return Check("huge pages", setting)


def _bandwidth():
    from ..benchmark import machine

    threads = len(os.sched_getaffinity(0))
    one, all_threads = (machine.read(2**27, t) / 1e9 for t in (1, threads))
    text = f"{one:.0f} GB/s on one core, {all_threads:.0f} GB/s on {threads} (reading 128 MiB)"
    return Check("memory bandwidth", {"one_core": one, "all_cores": all_threads}, text=text)
