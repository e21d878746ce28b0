"""Gamma matrices: DeGrand-Rossi in four dimensions, Pauli matrices below."""

import numpy as np

PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], complex)


def gammas(dims):
    """gamma_mu, shape (dims, s, s): s = 4 in four dimensions, 2 in two and three."""
    if dims < 4:
        return PAULI[:dims]
    one, i = np.eye(2), 1j
    upper = [i * PAULI[0], -i * PAULI[1], i * PAULI[2], one]
    zero = np.zeros((2, 2))
    return np.array([np.block([[zero, s], [s.conj().T, zero]]) for s in upper])


def gamma5(dims):
    """gamma_x gamma_y gamma_z gamma_t = diag(1, 1, -1, -1); sigma_3 in two dimensions; none in three."""
    if dims == 3:
        raise ValueError("there is no gamma5 in three dimensions")
    return PAULI[2] if dims == 2 else np.linalg.multi_dot(gammas(4))
