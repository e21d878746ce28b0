"""Which links of a two-dimensional lattice a coupling updates, and what it may look at: stripes of period four."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import LqcdError

PERIOD = 4


@dataclass(frozen=True)
class Stripes:
    """The rows of layer `number`: the links U_mu of every fourth row are active (2003.06413).

    With nu the other direction, rows are sites of equal x_nu, and P(x) = U_mu(x) U_nu(x + mu) U_mu(x + nu)^dag
    U_nu(x)^dag. A new U_mu in row r changes P in row r, the active one, and in row r - 1, the passive one; rows r + 1
    and r + 2 are frozen. In four blocks of `blocks` = L_nu/4 they are numbered 0 passive, 1 active, 2 and 3 frozen.

    >>> Stripes((8, 4), 5).rows
    (4, 2)
    """

    shape: tuple[int, int]
    number: int

    def __post_init__(self):
        if len(self.shape) != 2 or any(extent % PERIOD for extent in self.shape):
            raise LqcdError(
                f"coupling layers of gauge links need two dimensions with extents that are multiples of {PERIOD}, "
                f"not {self.shape}: change the shape of the lattice"
            )

    @property
    def mu(self):
        return self.number % 2

    @property
    def offset(self):
        return self.number // 2 % PERIOD

    @property
    def rows(self):
        """(sites along a row, rows that are active): the lattice of active links, as a shape (x, y)."""
        return self.shape[self.mu], self.shape[1 - self.mu] // PERIOD

    def upright(self, field):
        """A field of sites (y, x, ...) with its rows along the second axis: (x_nu, x_mu, ...)."""
        return field if self.mu == 0 else field.transpose(0, 1)

    def blocks(self, field):
        """(blocks, 4, along, ...) of an upright field of sites."""
        return field.roll(1 - self.offset, 0).unflatten(0, (-1, PERIOD))

    def active(self, links):
        """The active links of (mu, y, x, ...): a view (blocks, along, ...)."""
        return self.upright(links[self.mu])[self.offset :: PERIOD]

    def replace(self, links, active):
        """Links with new active ones."""
        links = links.clone()
        self.active(links).copy_(active)
        return links
