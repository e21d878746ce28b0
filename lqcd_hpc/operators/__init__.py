"""Dirac operators and the covariant Laplacian: one file per operator, one kernel source for CPU and GPU."""
