"""The gamma matrices of kernels/spin.h as arrays, for first weights."""

from __future__ import annotations

import numpy as np

BASIS = "DeGrand-Rossi, gamma5 = diag(1, 1, -1, -1); sigma_1, sigma_2 in two dimensions"
_UPPER = {  # B_mu of gamma_mu = ( 0 B ; B^dag 0 )
    4: ([[0, 1j], [1j, 0]], [[0, -1], [1, 0]], [[1j, 0], [0, -1j]], [[1, 0], [0, 1]]),
    2: ([[1]], [[-1j]]),
}


def gammas(ndim):
    """gamma_mu for every direction.

    >>> gammas(2)[0].real.tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    found = []
    for block in _UPPER[ndim]:
        b = np.array(block, complex)
        zero = np.zeros_like(b)
        found.append(np.block([[zero, b], [b.conj().T, zero]]))
    return found
