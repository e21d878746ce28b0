"""What Python and launching cost: a sweep and an MD step as a run makes them, against the same launches
looped in C.
"""

from __future__ import annotations

from statistics import median

from .timing import in_turn, repeated


def measure(shape=(8, 8, 8, 8), threads=1):
    """Percent of the time of an over-relaxation sweep and of an MD step (2MN) that is not spent in kernels.

    The reference runs the sequence many times in one C call. One rank only: with several, messages lie in between.
    """
    from ...actions.wilson import Wilson
    from ...fields import Random, gauge
    from ...lattice import Lattice
    from ...lattice.communicator import SerialCommunicator
    from ...sampling.dynamics import Dynamics
    from ...sampling.integrators import OMF2
    from ...sampling.local_update import LocalUpdate

    lattice = Lattice(shape, threads=threads, comm=SerialCommunicator())
    U = gauge.hot(lattice, Random(seed=5), "SU(3)")
    action = Wilson(beta=6.0).on(U)
    sweep = LocalUpdate(action, "overrelaxation")
    dynamics = Dynamics(action)
    dynamics.refresh(Random(seed=6))
    dynamics.integrate(OMF2, 0.01, 1)
    step = dynamics._plans[OMF2.name, 0.01, 1]
    return [
        {"name": "over-relaxation sweep"} | compare(repeated(sweep.sweep), sweep._sequence),
        {"name": "MD step (2MN)"} | compare(repeated(lambda: dynamics.integrate(OMF2, 0.01, 1)), step),
    ]


def compare(from_python, in_c):
    """Both are `run(n)`. The median of the ratios of turns counts, so that both meet the same clock."""
    python, looped = in_turn([from_python, in_c], repeats=9)
    ratio = median(p / c for p, c in zip(python, looped))
    return {
        "python_us": median(python) * 1e6,
        "c_us": median(looped) * 1e6,
        "overhead_percent": 100 * (ratio - 1),
    }
