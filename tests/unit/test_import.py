"""`import lqcd_hpc` is fast and starts nothing."""

import subprocess
import sys

HEAVY = {"mpi4py", "torch", "cupy", "matplotlib", "h5py", "scipy", "pyerrors", "pydantic", "typer", "rich"}
TIMED = "import time; t = time.perf_counter(); import lqcd_hpc; print(time.perf_counter() - t)"
LOADED = "import lqcd_hpc, sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"


def told_by(program):
    """What a fresh python prints."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_import_takes_less_than_half_a_second():
    assert min(float(told_by(TIMED)) for _ in range(3)) < 0.5


def test_import_loads_no_heavy_library():
    assert not HEAVY & set(told_by(LOADED).split())


def test_every_public_name_is_there_and_a_wrong_one_is_refused():
    import lqcd_hpc

    missing = [name for name in lqcd_hpc.__all__ if getattr(lqcd_hpc, name, None) is None]
    assert not missing
    assert not hasattr(lqcd_hpc, "no_such_name")
