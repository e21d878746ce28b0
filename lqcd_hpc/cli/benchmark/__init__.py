"""What `lqcd-hpc bench` measures.

`machine.py` (with `machine.cpp`) what the processor can do, `counts.py` flops and bytes of every kernel and
how they are counted, `kernels.py` the kernels on real fields, `timing.py` medians, `overhead.py` Python
against the same sequence looped in C, `replicas.py` many small systems against one, `ranks.py` two ranks
against one, `results.py` table and JSON."""
