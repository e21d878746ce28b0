"""From the integer bins of exact sums (kernels/exact_sum.h) to correctly rounded doubles."""

from __future__ import annotations

import ctypes

import numpy as np

from ..backend import cpu

BINS = 55


def round_bins(bins):
    """The nearest doubles of exact sums, shape (..., 55) -> (...); NaN where a term was not finite."""
    bins = np.ascontiguousarray(bins, np.int64).copy()
    values = np.empty(bins.shape[:-1])
    cpu.runtime().round_bins(
        ctypes.c_void_p(bins.ctypes.data), ctypes.c_void_p(values.ctypes.data), ctypes.c_int64(values.size)
    )
    return values
