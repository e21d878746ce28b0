"""Targets: densities e^{-S(x)} in batched torch form.

`target(description, shape, group)` gives the torch form of a description of `actions/`, from the same parameters as its
kernels. Other files of this folder are densities of their own (`kind` of a run file's [target] table).

Contract: `prior` (shape and natural prior of its variables), `action(x)` -> (batch,), `observables(x)` -> name to
(batch,); lattice targets also have `shape`, `description` and `group`; `exact` holds what is known exactly.
"""

from __future__ import annotations

from ...errors import LqcdError


def target(description, shape, group=None):
    """The torch form of an action description on a periodic lattice of shape (Lx, Ly, ...).

    >>> from lqcd_hpc.actions.wilson import Wilson
    >>> target(Wilson(beta=2.0), (4, 4), "U(1)").prior.shape
    (2, 4, 4)
    """
    if hasattr(description, "loops"):
        from .gauge import gauge_target

        return gauge_target(description, tuple(shape), group)
    if group is not None:
        raise LqcdError(f"{description} has no gauge group: leave group out")
    if not hasattr(description, "coefficients"):
        raise LqcdError(f"{description} has no torch form yet")
    from .scalar import scalar_target

    return scalar_target(description, tuple(shape))
