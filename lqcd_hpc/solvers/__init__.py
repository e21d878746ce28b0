"""Solvers of linear systems: values that compose, such as `Schur(NormalCG(tol=1e-10))`."""
