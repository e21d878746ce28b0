"""Compiles ahead what a file of tests needs, several kernels at once: most of the time of such tests is compilation."""

import os

from lqcd_hpc.backend import device
from lqcd_hpc.cli.build_kernels import build
from lqcd_hpc.lattice import world


def compile_ahead(work):
    """`work()` is run without computing, and the kernels that it meets are compiled; it shall make its own fields."""
    with device.recording() as found:
        work()
    comm, programs = world(), list(found)
    first = len(programs) * comm.rank // comm.size  # ranks begin in different places, and wait for each other's
    build(programs[first:] + programs[:first], workers=max(1, len(os.sched_getaffinity(0)) // comm.size), silent=True)
