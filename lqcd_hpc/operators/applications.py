"""How many times an operator was applied, counted from its hops, wherever they ran."""

from __future__ import annotations

from ..fields.domain import EVERYWHERE, Parity

HOPS = {"wilson": 1.0, "staggered": 1.0, "forward_hop": 0.125}  # kernels, and the share of the hops that they do


def applications(counts, D, copies=1):
    """Applications of D to one right-hand side of `copies`: hops on sites / volume, in whatever precision.

    An even-odd operator hops once from even to odd and once back, which is one. counts : of `fields.counting`

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.fields.counting import counting
    >>> from lqcd_hpc.operators.schur import SchurOperator
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=0.5, boundary=(1, -1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> with counting() as counts:
    ...     _ = D(D.vector()), SchurOperator(D)(D.vector())
    >>> applications(counts, D)
    2.0
    """
    hops = 0.0
    for (function, lattice, domain, together), times in counts.items():
        if function in HOPS and domain in _SHARES:
            hops += HOPS[function] * _SHARES[domain] * times * together * lattice.volume
    return hops / (D.lattice.volume * copies)


_SHARES = {EVERYWHERE: 1.0, Parity(0): 0.5, Parity(1): 0.5}
