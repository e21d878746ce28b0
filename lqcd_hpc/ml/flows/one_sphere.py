"""What flows of one unit vector ask of their target."""

from __future__ import annotations

from ...errors import LqcdError
from ..priors import UniformSphere


def dimensions(target, kind):
    """Number of components of the unit vector; raises `LqcdError` unless the target is a density of one."""
    if not (isinstance(target.prior, UniformSphere) and len(target.prior.shape) == 1):
        raise LqcdError(f'flow kind = "{kind}" maps one unit vector: {target} has other variables')
    return target.prior.shape[0]
