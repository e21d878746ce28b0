"""The correlator of scalar fields and spins at zero momentum, for the pole mass."""

from __future__ import annotations

import numpy as np

from ..description import description
from ..errors import LqcdError
from ..fields import scalar
from ..fields.domain import Slice


@description
class ScalarCorrelator:
    """C(t) = (1/T) sum_s Phi(s).Phi(s+t)/V_space with Phi(s) the sum of phi over the slice s of the last direction.

    Rows along `time`; with the symmetry unbroken C(t) is a sum of cosh m (t - T/2). Raises `LqcdError` for a gauge
    field, or if the last direction is open.

    >>> from lqcd_hpc import Lattice
    >>> from lqcd_hpc.fields import kinds
    >>> columns = ScalarCorrelator().on(scalar.cold(Lattice((4, 3)), kinds.spins(2)))()
    >>> print(columns["time"], columns["correlator"])
    [0 1 2] [4. 4. 4.]
    """

    of = "scalars"

    def on(self, phi):
        """The measurement on the field phi."""
        scalar.check_law(phi, "the measurement scalar_correlator")
        lattice, last = phi.lattice, phi.lattice.ndim - 1
        if lattice.is_open(last):
            raise LqcdError("scalar_correlator needs a periodic last direction: leave it out of [measure]")
        extent = lattice.shape[last]
        slices = [scalar.sums(phi, Slice(last, t)) for t in range(extent)]
        names = [f"m{k}" for k in range(phi.reals)]

        def measure():
            told = [one() for one in slices]
            total = np.array([[sums[name] for name in names] for sums in told])  # (T, components[, replicas])
            shifted = [np.sum(total * np.roll(total, -t, axis=0), axis=(0, 1)) for t in range(extent)]
            return {"time": np.arange(extent), "correlator": np.array(shifted) / lattice.volume}

        return measure
