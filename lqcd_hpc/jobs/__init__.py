"""Jobs of a batch system: run files become SLURM jobs, arrays and chains; their progress is read from their journals.

`site.py` says what a machine is like (one file per site in `sites/`), `request.py` what is asked of it, `members.py`
makes streams and couplings of a run file, `script.py` renders job scripts by the one template `job.sh.j2`, `submit.py`
hands them over and leaves a record, `slurm.py` speaks to SLURM, `status.py` tells how far runs are.
"""
