"""The coarsest level of multigrid by its inverse, where that is small enough to keep."""

from __future__ import annotations

import numpy as np

from ..errors import LqcdError


class DenseInverse:
    """z = A^-1 r with the inverse of a `CoarseOperator`'s matrix, the same on every rank.

    Raises `LqcdError` if the matrix is singular.
    """

    def __init__(self, A):
        matrix = A.dense()
        try:
            self.inverse = np.linalg.inv(matrix)
        except np.linalg.LinAlgError:
            self.inverse = np.full_like(matrix, np.nan)
        if not np.isfinite(self.inverse).all():
            raise LqcdError(f"the matrix of {A!r} is singular: choose another mass, or other test vectors")
        self.inverse = self.inverse.astype(np.complex64 if A.precision == "single" else complex)

    def apply(self, r, z):
        """z = A^-1 r."""
        given = r.to_numpy(gather=True)
        found = self.inverse @ given.reshape(r.copies, -1).T.astype(self.inverse.dtype)
        z.from_numpy(found.T.reshape(given.shape), gathered=True)
