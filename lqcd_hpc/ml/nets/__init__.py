"""Networks, one per file: the file name is the `kind` of a `net` table.

Contract: a description with `.on(shape, inputs, outputs)`, which gives a module that maps (batch, inputs, ..., y, x) to
(batch, outputs, ..., y, x) on a periodic lattice of shape (Lx, Ly, ...). Couplings ask for more by keywords:

read, write : the sites (flat numbers) that the network sees, and those at which it answers
odd : so many outputs, the last ones, change sign with the input and the others do not
event : tells the networks of a flow apart, whose first parameters are functions of torch's seed and of it

and call `rows(x)`, which maps (inputs, read sites, batch) to (outputs, write sites, batch): with the batch last a
gather of sites copies whole rows, and a layer is one matrix product (linear_rows.py)."""
