"""Networks, one per file: the file name is the `kind` of a `net` table.

Contract: a description with `.on(shape, inputs, outputs)`, which gives a module that maps (batch, inputs, ..., y, x) to
(batch, outputs, ..., y, x) on a periodic lattice of shape (Lx, Ly, ...)."""
