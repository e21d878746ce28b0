"""Moments and magnetisation of scalar fields and spins."""

from __future__ import annotations

import numpy as np

from ..description import description
from ..fields import scalar


@description
class Scalar:
    """phi2 = |phi|^2, phi4 = |phi|^4, bond = sum_mu phi(x).phi(x+mu), each per site; m2 = |M|^2/V and
    abs_m = |M|/V of M = sum_x phi(x).

    Products are over the real components. Raises `LqcdError` for a gauge field.

    >>> from lqcd_hpc import Lattice
    >>> from lqcd_hpc.fields import kinds
    >>> Scalar().on(scalar.cold(Lattice((4, 4)), kinds.spins(3)))()
    {'phi2': 1.0, 'phi4': 1.0, 'bond': 2.0, 'm2': 16.0, 'abs_m': 1.0}
    """

    of = "scalars"

    def on(self, phi):
        """The measurement on the field phi."""
        scalar.check_law(phi, "the measurement scalar")
        sums, volume = scalar.sums(phi), phi.lattice.volume

        def measure():
            told = sums()
            total = sum(told[f"m{k}"] ** 2 for k in range(phi.reals))
            moments = {name: told[name] / volume for name in ("phi2", "phi4", "bond")}
            return moments | {"m2": total / volume, "abs_m": _plain(np.sqrt(total) / volume)}

        return measure


def _plain(value):
    return value if np.ndim(value) else float(value)
