"""What flows of real fields ask of their target, and their couplings on it."""

from __future__ import annotations

from ...errors import LqcdError
from ..flow import Flow
from ..layers.coupling import couplings
from ..layers.rescaling import Rescaling
from ..priors import Normal


def require_scalars(target, kind):
    """Raise `LqcdError` unless the target is a density of real fields on a lattice."""
    if not (isinstance(target.prior, Normal) and hasattr(target, "sites")):
        raise LqcdError(f'flow kind = "{kind}" maps real fields on a lattice: {target} has other variables')


def components(target):
    """Numbers per site."""
    return target.components or 1


def coupling_flow(description, target, make):
    """The flow of a description with `couplings`, `mask` and `rescale`; `make(number, active, frozen)`
    gives the maps."""
    layers = couplings(description.mask, target.shape, description.couplings, make)
    return Flow(target.prior, layers + ([Rescaling()] if description.rescale else []))
