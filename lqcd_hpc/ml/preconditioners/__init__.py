"""Learned preconditioners: descriptions of linear, gauge-equivariant networks that approximate D^-1.

`description.on(D)` makes the network for Wilson fermions on a gauge field; the file name is the `kind` of a run file's
[preconditioner] table. A network learns its `lessons(D)` in torch (ml/training/inversion.py) and is used by its
`kernels(D)` (ml/solvers/learned.py). One that belongs to a lattice, or to a gauge field, says so by `identity(D)` and
`check(D, origin)`.
"""
