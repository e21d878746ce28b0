"""Training of flows: `trainer.py` is the loop, `settings.py` its keys, `losses.py` and `schedules.py` what it follows,
`evaluation.py` how good a flow is, `processes.py` several processes, `state.py` files, `transfer.py` other volumes.

>>> from lqcd_hpc.actions.wilson import Wilson
>>> from lqcd_hpc.ml.targets import target
>>> from lqcd_hpc.ml.training.settings import Training
>>> Training(steps=10, batch=64, learning_rate=1e-3).loss
'reverse'
"""
