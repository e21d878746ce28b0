"""Sources of quark propagators, one per file: the file name is the `kind` of a run file.

A description has `time(lattice)`, the time slice that correlators count from, and `.on(D)`: a function that gives the
source for the gauge field as it is now, a vector of the operator D with one copy per spin and colour."""
