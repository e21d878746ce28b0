"""Flops and bytes of Dirac operators, by the counts that the field compares its codes with.

A complex multiply-add is 8 flops, a 3x3 matrix times a vector 66. Every operator is counted as D of one right-hand side
at one site that is written: with the hop, whatever else is fused into the kernel, and no more for it than is said here.
Bytes are the ideal traffic: links as they are stored (two rows of three), blocks and vectors read once, the result
written once; links and blocks serve all right-hand sides.
"""

from __future__ import annotations

from dataclasses import dataclass

from .counts import Count

MATRIX_VECTOR = 66  # 9 complex products, 6 complex sums
SPINOR, COLOUR_VECTOR = 24, 6  # reals
CLOVER_BLOCKS = 72  # reals: two Hermitian 6x6 matrices
DIRECTIONS = 4
UNIT = "site"


def wilson_hop():
    """8 x (projection 12 + two matrices on a vector) + 7 sums of spinors.

    >>> wilson_hop()
    1320
    """
    return 2 * DIRECTIONS * (12 + 2 * MATRIX_VECTOR) + (2 * DIRECTIONS - 1) * SPINOR


def staggered_hop():
    """8 matrices on a vector + 7 sums of vectors.

    >>> staggered_hop()
    570
    """
    return 2 * DIRECTIONS * MATRIX_VECTOR + (2 * DIRECTIONS - 1) * COLOUR_VECTOR


def clover_blocks():
    """Two Hermitian 6x6 matrices on a vector: 6 real and 30 complex multiply-adds each, less one sum per row.

    >>> clover_blocks()
    504
    """
    row = 2 + 5 * 8
    return 2 * 6 * row


@dataclass(frozen=True)
class OperatorCount:
    """flops : per right-hand side and site that is written; vector : reals of one vector on a site
    links : links that are read per site that is written; blocks : further reals that are read there
    """

    flops: int
    how: str
    vector: int = SPINOR
    links: int = DIRECTIONS
    blocks: int = 0

    def of(self, rows, rhs, size):
        """The `Count` per site and right-hand side: links of so many rows, numbers of `size` bytes."""
        return Count(self.flops, self._bytes(rows, rhs, size, 1, 2), UNIT, self.how)

    def normal_iteration(self, rows, rhs, size):
        """One iteration of conjugate gradients on D^dag D: D, D^dag, and on vectors two norms and three updates.

        Vectors: p -> D p; D p, r -> r; r, x, p -> x, p.

        >>> WILSON.normal_iteration(2, 1, 4).flops
        2880
        """
        how = f"2 x {self.flops} + 10 x {self.vector} for norms and updates"
        return Count(2 * self.flops + 10 * self.vector, self._bytes(rows, rhs, size, 2, 10), UNIT, how)

    def factored_iteration(self, rows, rhs, size):
        """The same on shift + B^dag B, B a hop from one parity to the other: p is read once more and has a norm."""
        how = f"2 x {self.flops} + 14 x {self.vector} for norms and updates"
        return Count(2 * self.flops + 14 * self.vector, self._bytes(rows, rhs, size, 2, 11), UNIT, how)

    def _bytes(self, rows, rhs, size, operators, vectors):
        fields = self.links * rows * 6 + self.blocks
        return size * (operators * fields / rhs + vectors * self.vector)


BOTH = 2 * DIRECTIONS  # an operator from one parity to the other meets all links of the lattice
TWIST = 72
SCALED_SUM = 48

WILSON = OperatorCount(wilson_hop(), "the hop: 8 x (12 + 2 x 66) + 7 x 24")
WILSON_HOP = OperatorCount(wilson_hop(), "8 x (12 + 2 x 66) + 7 x 24 per site of one parity", links=BOTH)
WILSON_SCHUR = OperatorCount(
    2 * wilson_hop() + SCALED_SUM, "two hops and a scaled sum of spinors, per site of one parity", links=BOTH
)
CLOVER = OperatorCount(
    wilson_hop() + clover_blocks() + 2 * SCALED_SUM,
    "1320 + two Hermitian 6x6 blocks (504) + two scaled sums of spinors (96), as openQCD counts",
    blocks=CLOVER_BLOCKS,
)
CLOVER_SCHUR = OperatorCount(
    2 * (wilson_hop() + clover_blocks()) + SCALED_SUM,
    "two hops, blocks twice (504 each) and a scaled sum of spinors, per site of one parity",
    links=BOTH,
    blocks=2 * CLOVER_BLOCKS,
)
TWISTED_MASS = OperatorCount(wilson_hop() + TWIST, "1320 + a complex number times a spinor (72)")
TWISTED_CLOVER = OperatorCount(
    CLOVER.flops + SCALED_SUM, "1920 of the clover operator + i mu gamma5 added (48)", blocks=CLOVER_BLOCKS
)
STAGGERED = OperatorCount(staggered_hop(), "8 x 66 + 7 x 6", COLOUR_VECTOR)
STAGGERED_HOP = OperatorCount(staggered_hop(), "8 x 66 + 7 x 6 per site of one parity", COLOUR_VECTOR, BOTH)
LAPLACE = OperatorCount(staggered_hop(), "8 x 66 + 7 x 6, on colour vectors in four directions", COLOUR_VECTOR)
