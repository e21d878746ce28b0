"""Actions, one per file: the file name is the `kind` of a run file. `gauge_action.py` evaluates any action of loops,
`scalar_action.py` scalars and spins that couple to their neighbours.

Contract: `description.on(field)` gives an object with `field`, `value()`, `force(P, weight, keep)` and
`refresh(rng)`."""
