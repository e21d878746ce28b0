"""A job ends, and soon, when one of its ranks does."""

import time

import pytest

pytestmark = pytest.mark.mpirun

RAISES = """
from lqcd_hpc import Lattice, Random, gauge
from lqcd_hpc.lattice import world
U = gauge.hot(Lattice((8, 8)), Random(1), "U(1)")
if world().rank == 1:
    raise RuntimeError("rank one is lost")
world().barrier()
"""
ABORTS = """
import time
from lqcd_hpc.lattice import world
if world().rank == 1:
    world().abort(3)
time.sleep(60)
"""


@pytest.mark.parametrize("text, told", [(RAISES, "rank one is lost"), (ABORTS, "")])
def test_the_other_ranks_do_not_wait_for_one_that_is_gone(mpirun, tmp_path, text, told):
    script = tmp_path / "script.py"
    script.write_text(text)
    start = time.time()
    job = mpirun(2, [script], timeout=60)
    assert job.code not in (0, None), str(job)
    assert told in job.output and time.time() - start < 40
