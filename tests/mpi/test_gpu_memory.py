"""Halos of GPU memory, single lanes in blocks of 32, and messages of an emulated GPU agree with one process."""

import pytest
from emulated_gpu.cupy_emulation import emulated_gpu
from gpu_laws import history, memory_blocks, same_bits

from lqcd_hpc import LqcdError
from lqcd_hpc.backend import cuda
from lqcd_hpc.fields.exchange import Exchange
from lqcd_hpc.lattice import SerialCommunicator, world
from lqcd_hpc.lattice.decomposition import grids

SHAPE = (8, 16)


@pytest.fixture(scope="module")
def expected():
    """The history on one process, in numbers of the usual lanes."""
    return history(SHAPE, comm=SerialCommunicator())


@pytest.fixture(autouse=True)
def poison(monkeypatch):
    """Halos are not a number from the moment they are stale."""
    monkeypatch.setattr(Exchange, "poison", True)


def test_memory_blocks_of_a_gpu_on_every_grid(expected):
    with memory_blocks(32):
        for grid in grids(SHAPE, world().size):
            assert same_bits(history(SHAPE, ranks=grid), expected), grid


@pytest.mark.parametrize("direct", ["0", "1"], ids=["by way of the host", "straight from the GPU"])
def test_messages_of_an_emulated_gpu_on_every_grid(expected, direct, monkeypatch):
    monkeypatch.setenv("LQCD_CUDA_MPI", direct)
    with emulated_gpu():
        assert cuda.mpi_reads_gpu_memory(world()) == (direct == "1")
        for grid in grids(SHAPE, world().size):
            assert same_bits(history(SHAPE, ranks=grid), expected), grid


def test_an_mpi_that_loses_gpu_memory_is_refused(monkeypatch):
    monkeypatch.setenv("LQCD_CUDA_MPI", "1")
    monkeypatch.setattr(cuda, "_direct", {world(): False})
    with pytest.raises(LqcdError, match="leave LQCD_CUDA_MPI out"):
        cuda.mpi_reads_gpu_memory(world())
