"""Learned preconditioners: descriptions of linear, gauge-equivariant networks that approximate D^-1.

`description.on(operator)` makes the network for a description of Wilson fermions; the file name is the `kind` of a run
file's [preconditioner] table. A network learns in torch and is used by kernels (ml/solvers/learned.py).
"""
