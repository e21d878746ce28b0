"""Arrays of files as tensors."""

from __future__ import annotations

import torch


def tensor_of(values, precision):
    """A tensor in single or double precision, complex if the values are.

    >>> import numpy as np
    >>> tensor_of(np.zeros(3), "single").dtype
    torch.float32
    """
    tensor = torch.as_tensor(values)
    real = torch.float32 if precision == "single" else torch.float64
    return tensor.to(real.to_complex() if tensor.is_complex() else real)
