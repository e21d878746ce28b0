"""Flows, one per file: the file name is the `kind` of a run file's [flow] table.

Contract: a description with `.on(target)`, which gives a `Flow` (ml/flow.py) whose prior lives where the target's
variables do. It raises `LqcdError` for a target that it cannot map to. The files of `layers/` hold the maps."""
