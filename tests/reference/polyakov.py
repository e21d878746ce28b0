"""The Polyakov loop."""

from .paths import product, trace


def polyakov_lines(links):
    """Product of the links of the last direction once around, at every spatial site: (z, y, x, Nc, Nc)."""
    last = len(links) - 1
    return product(links, [(last, 1)] * links.shape[1])[0]


def polyakov(links):
    """tr L / Nc averaged over space (complex)."""
    return complex(trace(polyakov_lines(links)).mean() / links.shape[-1])
