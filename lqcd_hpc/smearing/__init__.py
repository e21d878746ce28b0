"""Smoothing of gauge fields: `gradient_flow.py` (any action), `stout.py` (its Euler steps). Contract: `forward(U)`."""
