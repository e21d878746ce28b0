"""The basis of the Lie algebra of SU(N), in the order of kernels/su.h."""

from __future__ import annotations

from itertools import combinations

import torch


def generators(nc, dtype, device):
    """Hermitian T^a of SU(N) with tr T^a T^b = delta_ab/2, (N^2 - 1, N, N): for i < j (E_ij + E_ji)/2 and
    (-i E_ij + i E_ji)/2, then diag(1, .., 1, -k, 0, ..)/sqrt(2 k (k + 1)).

    >>> t = generators(3, torch.complex128, "cpu")
    >>> bool(torch.allclose(torch.einsum("aij,bji->ab", t, t).real, torch.eye(8, dtype=torch.float64) / 2))
    True
    """
    found = []
    for i, j in combinations(range(nc), 2):
        for entry in (0.5, -0.5j):
            t = torch.zeros(nc, nc, dtype=torch.complex128)
            t[i, j], t[j, i] = entry, entry.conjugate()
            found.append(t)
    for k in range(1, nc):
        diagonal = torch.tensor([1.0] * k + [-k] + [0.0] * (nc - k - 1), dtype=torch.complex128)
        found.append(torch.diag(diagonal) / (2 * k * (k + 1)) ** 0.5)
    return torch.stack(found).to(device=device, dtype=dtype)
