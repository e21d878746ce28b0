"""Planar Wilson loops W(T, R)."""

import numpy as np

from .paths import loop_trace, rectangle_steps


def wilson_loop(links, time, distance):
    """Re tr W(T, R) / Nc averaged over sites and spatial directions; W(1, 1) is the temporal plaquette."""
    last = len(links) - 1
    loops = [rectangle_steps(mu, last, distance, time) for mu in range(last)]
    return float(np.mean([loop_trace(links, loop).real for loop in loops]))
