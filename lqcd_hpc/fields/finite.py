"""Where a field is not a number."""

from __future__ import annotations

import socket

import numpy as np

from ..errors import LqcdError


def require_finite(U, where=""):
    """Raise `LqcdError` that names the first site of a field whose value is not finite, and the machine. Collective.

    `where` says what happened there, in front of the message.

    >>> from lqcd_hpc import Lattice, gauge
    >>> U = gauge.unit(Lattice((4, 4)), "U(1)")
    >>> require_finite(U)
    >>> u = U.to_numpy()
    >>> u[1, 2, 3] = float("nan")
    >>> require_finite(U.from_numpy(u), "update 7")
    Traceback (most recent call last):
    ...
    lqcd_hpc.errors.LqcdError: update 7: 1 of 32 links are not finite, the first at site (3, 2), direction 1 ...
    """
    lattice, values = U.lattice, U.to_numpy()
    finite = np.isfinite(values).all(axis=tuple(range(values.ndim - len(U.kind.shape), values.ndim)))
    places = [_place(U, index) for index in np.argwhere(~finite)[:1]]
    counts = lattice.comm.allgather((places, int((~finite).sum()), finite.size, socket.gethostname()))
    bad = [one for one in counts if one[1]]
    if bad:
        (site, direction), host = min((one[0][0], one[3]) for one in bad)
        number, total = sum(one[1] for one in bad), sum(one[2] for one in counts)
        at = f"site {site}" + (f", direction {direction}" if U.kind.directions else "")
        raise LqcdError(
            f"{where}{': ' if where else ''}{number} of {total} {U.kind.name} are not finite, the first at {at} "
            f"(on host {host})"
        )


def _place(U, index):
    """(site, direction) of an index of `to_numpy`."""
    lattice, leading = U.lattice, index[: -U.lattice.ndim]
    site = tuple(int(n) + origin for n, origin in zip(index[::-1], lattice.origin))
    return site, int(leading[-1]) if U.kind.directions else 0
