"""The kernels alone, as JSON: what `ranks.py` starts under mpirun. Arguments: volume, precision."""

from __future__ import annotations

import json
import sys

from ...lattice.communicator import world
from ..shape import parse_shape
from .kernels import gauge_subjects, measure
from .machine import Machine


def main(volume, precision):
    """Measure on all ranks and print on the first."""
    shape, comm = parse_shape(volume), world()
    machine = Machine(1, precision)
    lines = [measure(subject, machine, shape, precision, comm) for subject in gauge_subjects(shape, precision)]
    if comm.rank == 0:
        print(json.dumps(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
