"""One text, any number of lanes: scalars, vectors, GPU memory order and an emulated GPU agree to the bit.

What no GPU is needed for: scalar arithmetic, memory blocks, packing of halos, threads and blocks, sums by shuffles.
"""

import numpy as np
import pytest
from emulated_gpu.cupy_emulation import emulated_gpu
from gpu_laws import history, memory_blocks, same_bits, solves
from site_functions import relax, scalar_sums, simd

from lqcd_hpc import Field, Lattice, LqcdError
from lqcd_hpc.backend import cuda, device
from lqcd_hpc.fields import kinds
from lqcd_hpc.fields.domain import EVERYWHERE, Parity
from lqcd_hpc.fields.launch import Sequence, prepare

CASES = [
    {"shape": (8, 16)},
    {"shape": (4, 6), "replicas": 8},
]


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request):
    """A case with its history in numbers of eight lanes (doubles)."""
    with simd(64):
        return request.param, history(**request.param)


def test_one_lane_gives_the_bits_of_eight(case):
    parameters, expected = case
    with simd(8):
        assert same_bits(history(**parameters), expected)


def test_memory_blocks_of_a_gpu_give_the_same_bits(case):
    parameters, expected = case
    with memory_blocks(32):
        assert same_bits(history(**parameters), expected)


def test_an_emulated_gpu_gives_the_same_bits(case):
    parameters, expected = case
    with emulated_gpu():
        assert same_bits(history(**parameters), expected)


def test_solves_have_the_same_bits_in_gpu_memory_and_on_an_emulated_gpu():
    with simd(64):
        expected = solves((4, 8), replicas=2)
    with memory_blocks(32):
        assert same_bits(solves((4, 8), replicas=2), expected)
    with emulated_gpu():
        assert same_bits(solves((4, 8), replicas=2), expected)


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize("domain", [EVERYWHERE, Parity(1)], ids=["all", "odd"])
def test_sums_of_an_emulated_gpu_are_exact(replicas, domain):
    """Terms over 600 decades, zeros, infinities; 390 sites, so that blocks hold several replicas and tails."""
    rng = np.random.default_rng(1)
    values = rng.choice([-1, 0, 1], (2, replicas, 26, 15)) * 10.0 ** rng.uniform(-300, 300, (2, replicas, 26, 15))
    values[1, -1, 3, 4] = np.inf

    def sums():
        field = Field(Lattice((15, 26), replicas=replicas), kinds.scalars(2))
        field.from_numpy(values[:, 0] if replicas == 1 else values.swapaxes(0, 1))
        found = prepare(scalar_sums(), domain, f=field)()
        return np.array([found["first"], found["second"]])

    expected = sums()
    with emulated_gpu():
        found = sums()
    assert np.array_equal(found, expected, equal_nan=True)
    assert np.isfinite(found[0]).all() and not np.isfinite(found[1]).all()


def test_sequences_of_an_emulated_gpu_run_in_order():
    def relaxed():
        field = Field(Lattice((10, 6)), kinds.scalars())
        field.from_numpy(np.arange(60.0).reshape(6, 10))
        kernel = relax(((1, 0), (-1, 0), (0, 1), (0, -1)))
        steps = [prepare(kernel, Parity(p), f=field).set(count=4, factor=0.5 + p) for p in (0, 1)]
        Sequence(steps)()
        return field.to_numpy()

    expected = relaxed()
    with emulated_gpu():
        assert np.array_equal(relaxed(), expected)


def test_a_gpu_that_is_absent_is_asked_for(monkeypatch):
    monkeypatch.setenv("LQCD_DEVICE", "cuda")
    with pytest.raises(LqcdError, match="a GPU is asked for .* absent"):
        device.current.__wrapped__()
    monkeypatch.setenv("LQCD_DEVICE", "tpu")
    with pytest.raises(LqcdError, match='choose "cpu" or "cuda"'):
        device.current.__wrapped__()


def test_ranks_take_the_gpu_of_their_number_on_the_node(monkeypatch):
    for name in cuda._LOCAL_RANK:
        monkeypatch.delenv(name, raising=False)
    assert cuda.local_rank() == 0
    monkeypatch.setenv("SLURM_LOCALID", "3")
    assert cuda.local_rank() == 3
