"""What `lqcd-hpc bench` measures: one file per suite with `VOLUMES`, `measure(request, comm)`, `tables(found)`,
`picture(found)` and `document(found)` (what `--json` prints).

| file | holds |
| --- | --- |
| `gauge.py`, `counts.py` | suite: kernels of gauge fields; their flops and bytes |
| `dirac.py`, `operators.py`, `fermion_counts.py` | suite: Dirac operators; the operators on fields; flops and bytes |
| `solver.py`, `solvers.py` | suite: solvers; the solves on fields |
| `request.py`, `subject.py`, `results.py` | what is asked for, what is measured, tables and files |
| `machine.py`, `machine.cpp`, `timing.py` | what the processor can do; medians of turns |
| `overhead.py`, `replicas.py`, `ranks.py` | Python against C, many small systems against one, jobs of several ranks |
"""
