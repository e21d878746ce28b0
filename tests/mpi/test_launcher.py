"""The ranks of a job see each other."""

import os

from lqcd_hpc.lattice import world


def test_every_rank_is_there_once():
    comm = world()
    assert comm.size == int(os.environ.get("OMPI_COMM_WORLD_SIZE", comm.size)) >= 2
    assert comm.allgather(comm.rank) == list(range(comm.size))
    assert comm.allreduce(comm.rank) == comm.size * (comm.size - 1) // 2
