"""Energy density and topological charge along the gradient flow."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from ..actions.gauge_action import GaugeAction
from ..actions.wilson import Wilson
from ..description import description
from ..smearing.gradient_flow import GradientFlow
from .plaquette import Plaquette
from .topology import Topology


@description
class Flow:
    """The Wilson flow of a copy of the gauge field, measured every `interval` steps from t = 0 to `steps` eps.

    Columns time, energy, energy_time, energy_space, charge, plaquette: one row of values per flow time. E is
    the clover energy density; t^2 E = 0.3 defines t0 (arXiv:1006.4518).

    >>> from lqcd_hpc import Lattice, Random, gauge
    >>> flow = Flow(eps=0.05, steps=4).on(gauge.hot(Lattice((4, 4, 4, 4)), Random(seed=1), "SU(2)"))()
    >>> len(flow["time"]), bool(flow["plaquette"][-1] > flow["plaquette"][0])
    (5, True)
    """

    eps: PositiveFloat
    steps: PositiveInt
    interval: PositiveInt = 1
    scheme: Literal["rk3", "euler"] = "rk3"
    definition: Literal["clover", "plaquette"] = "clover"

    def on(self, U):
        """The measurement on the gauge field U."""
        V = U.like()
        flow = GradientFlow(GaugeAction(Wilson(beta=1.0), V), self.eps, self.scheme)
        observables = [Topology(definition=self.definition).on(V), Plaquette().on(V)]

        def row():
            columns = {}
            for observable in observables:
                columns |= observable()
            return columns

        def measure():
            V.assign(U)
            rows = [row()]
            for _ in range(self.steps // self.interval):
                flow.advance(self.interval)
                rows.append(row())
            time = self.eps * self.interval * np.arange(len(rows))
            return {"time": time} | {name: np.array([r[name] for r in rows]) for name in rows[0]}

        return measure
