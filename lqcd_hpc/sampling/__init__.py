"""Markov chains: `heatbath.py`, `metropolis.py` and `hmc.py` are the `kind`s of [[update]]; `local_update.py` sweeps
coloured as `colouring.py` finds right, `dynamics.py`, `motion.py` and `integrators.py` molecular dynamics,
`checkpoint.py` the state of a chain on disk.

A description's `.on(action)` gives an object with `update(rng)`, which reports at least `accepted`."""
