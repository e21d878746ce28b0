"""What Python and launching cost: a sweep and an MD step as a run makes them, against the same launches
looped in C.
"""

from __future__ import annotations

from .timing import seconds_per_call


def measure(shape=(8, 8, 8, 8), threads=1, loops=4):
    """Percent of the time of an over-relaxation sweep and of an MD step (2MN) that is not spent in kernels.

    The reference runs the sequence `loops` times in one C call. One rank only: with several, messages lie in
    between.
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
        _compare("over-relaxation sweep", sweep.sweep, sweep._sequence, loops),
        _compare("MD step (2MN)", lambda: dynamics.integrate(OMF2, 0.01, 1), step, loops),
    ]


def _compare(name, from_python, sequence, loops):
    """Both in turn, so that a change of the machine's clock meets both; the median of the ratios counts."""
    from statistics import median

    python, looped, ratios = [], [], []
    for _ in range(9):
        python.append(seconds_per_call(from_python, repeats=1))
        looped.append(seconds_per_call(lambda: sequence(loops), repeats=1) / loops)
        ratios.append(python[-1] / looped[-1])
    return {
        "name": name,
        "python_us": median(python) * 1e6,
        "c_us": median(looped) * 1e6,
        "overhead_percent": 100 * (median(ratios) - 1),
    }
