"""Samplers, one per file: the file name is the `kind` of a run file's [sampler] table.

Contract: a description with `.on(target, flow)` (flow None for those that need none), which gives an object with
`run(samples, seed)` (samplers/chain.py: `Sampler`); that returns a `Chain` of numbers, and `report.py` turns it into
values with errors and costs."""
