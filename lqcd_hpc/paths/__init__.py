"""Products of links along paths: `path.py` symbols and staples by rule, `program.py` paths as data for the kernels,
`loops.py` usual loops and their traces, `plaquette.py` the plaquette by its own kernel."""
