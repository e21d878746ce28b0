"""Which links or sites may be updated together: colourings of the sites, for links of one direction.

Links U_mu(x) and U_mu(y) may change at the same time only if neither is in the staple of the other. A colouring
c(x) = sum_nu w_nu x_nu mod m is right if it tells x from x + d for every displacement d at which the staple of
U_mu(x) holds a link of direction mu, and if it is periodic on the lattice.
Sites that couple to their neighbours need a colouring that tells x from x +- mu.
"""

from __future__ import annotations

from itertools import product

from ..errors import LqcdError
from ..fields.domain import Colour, Parity
from ..lattice.displacements import nearest, unit
from ..paths.path import links, staples, write

LARGEST_MODULUS = 12


def colours(lattice, mu, loops):
    """Domains that together cover all links of direction mu and can each be updated at once, for an action of
    these loops.

    Plaquettes need 2 colours, planar rectangles 4 (2 x_mu + sum_{nu != mu} x_nu mod 4).
    Raises `LqcdError` if a loop meets a link twice, or if no colouring fits the extents.
    """
    return _colouring(lattice, _neighbours(lattice, mu, loops), mu)


def site_colours(lattice):
    """Domains of sites of which none is a neighbour of another: the two parities where all extents are even.

    Raises `LqcdError` if a site is its own neighbour (an extent of one), or if no colouring fits the extents.
    """
    if any(_same_site(lattice, d) for d in nearest(lattice.ndim)):
        raise LqcdError(
            f"a site of {lattice.shape} is its own neighbour: local updates need extents of 2 or more; use HMC"
        )
    return _colouring(lattice, nearest(lattice.ndim), 0)


def _colouring(lattice, needed, mu):
    """The colouring with the fewest colours that separates the displacements `needed`."""
    for modulus in range(2, LARGEST_MODULUS + 1):
        for weights in _weights(lattice.ndim, mu, modulus):
            if _separates(lattice, weights, modulus, needed):
                if modulus == 2 and set(weights) == {1}:
                    return [Parity(0), Parity(1)]
                return [Colour(weights, modulus, value) for value in range(modulus)]
    raise LqcdError(
        f"no colouring with up to {LARGEST_MODULUS} colours fits the extents {lattice.shape} for this action: sweeps "
        "would break detailed balance; use even extents (multiples of 4 for actions with rectangles), or HMC"
    )


def _neighbours(lattice, mu, loops):
    """Displacements of links of direction mu in the staples of U_mu(x)."""
    start = unit(lattice.ndim, mu)
    found = set()
    for loop in loops:
        for rest in staples(loop, mu):
            here = {position for nu, position, _ in links(rest, start, lattice.ndim) if nu == mu}
            if any(_same_site(lattice, d) for d in here):
                raise LqcdError(
                    f"the loop {write(loop)} meets a link of direction {mu} twice on a lattice {lattice.shape}: its "
                    "weight is not linear in the link, so heatbath and over-relaxation do not apply; use HMC"
                )
            found |= here
    return found


def _same_site(lattice, d):
    return all(x == 0 if lattice.is_open(nu) else x % n == 0 for nu, (x, n) in enumerate(zip(d, lattice.shape)))


def _weights(ndim, mu, modulus):
    """Weights to try, the usual ones first."""
    usual = [tuple(1 for _ in range(ndim)), tuple(2 if nu == mu else 1 for nu in range(ndim))]
    return usual + [w for w in product(range(modulus), repeat=ndim) if w not in usual]


def _separates(lattice, weights, modulus, needed):
    periodic = all(lattice.is_open(nu) or w * n % modulus == 0 for nu, (w, n) in enumerate(zip(weights, lattice.shape)))
    return periodic and all(sum(w * x for w, x in zip(weights, d)) % modulus for d in needed)
