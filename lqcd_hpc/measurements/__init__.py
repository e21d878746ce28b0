"""Measurements, one per file: the file name is the `kind` of a run file.

A description holds the parameters; `.on(U)` prepares it for a gauge field, and calling that returns a dict of
numbers (arrays over
replicas if there are several; the flow returns one row per flow time)."""
