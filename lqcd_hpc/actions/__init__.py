"""Actions, one per file: the file name is the `kind` of a run file. `gauge_action.py` evaluates any action of loops.

Contract: `description.on(U)` gives an object with `value()`, `force(P, weight, keep)` and `refresh(rng)`."""
