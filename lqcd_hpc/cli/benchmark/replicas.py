"""Many small systems together against one alone: heatbath sweeps of U(1) in two dimensions."""

from __future__ import annotations

from .timing import seconds_per_call


def measure(extent=8, replicas=1024, threads=1):
    """Link updates per second with one and with `replicas` systems, and their ratio."""
    one, many = (_updates_per_second(extent, count, threads) for count in (1, replicas))
    return {
        "name": f"heatbath, 2D U(1) {extent}x{extent}",
        "replicas": replicas,
        "updates_per_second_one": one,
        "updates_per_second": many,
        "ratio": many / one,
    }


def _updates_per_second(extent, replicas, threads):
    from ...actions.wilson import Wilson
    from ...fields import Random, gauge
    from ...lattice import Lattice
    from ...lattice.communicator import SerialCommunicator
    from ...sampling.heatbath import Heatbath

    lattice = Lattice((extent, extent), replicas=replicas, threads=threads, comm=SerialCommunicator())
    rng = Random(seed=3)
    update = Heatbath(Wilson(beta=2.0).on(gauge.hot(lattice, rng, "U(1)")))
    seconds = seconds_per_call(lambda: update.update(rng))
    return 2 * extent**2 * replicas / seconds
