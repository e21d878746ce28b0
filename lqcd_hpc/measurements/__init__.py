"""Measurements, one per file: the file name is the `kind` of a run file.

A description holds the parameters; `.on(U)` prepares it for a gauge field, and calling that returns a dict of numbers
(arrays over replicas if there are several). Flow and correlators return one row per time: a column `time`, and columns
of that length. What `.on(U)` returns may also have `at(step, folder)`: a run calls that, with the number of the
update or file and its output directory, for measurements that draw noise (`condensate`) or leave files (`propagator`).
`quarks.py` is what measurements with Dirac operators share."""
