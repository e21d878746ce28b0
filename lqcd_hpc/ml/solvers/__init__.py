"""Solvers that have learned: looked up by `kind` after those of lqcd_hpc/solvers, and of the same contract."""
