"""GPUs: the driver, CuPy, and the compiler for kernels on them. None is needed on a machine without a GPU."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec

from .check import NOTE, Check


def checks():
    """GPUs that the driver sees, and CuPy."""
    names = _names()
    yield Check("GPU", names, text=", ".join(names) or "none")
    yield _cupy(bool(names))


def _names():
    """Names of the GPUs that nvidia-smi lists."""
    if not (tool := shutil.which("nvidia-smi")):
        return []
    words = [tool, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []


def _cupy(needed):
    if find_spec("cupy"):
        return _device()
    if needed:
        return Check(
            "CuPy",
            None,
            NOTE,
            "pip install 'lqcd_hpc[cuda13]'   (cuda12 for drivers before 580)",
            "not installed: runs use the processor",
        )
    return Check("CuPy", None, text="not installed (needed on GPUs only)")


def _device():
    """Whether the GPU backend starts, asked of the backend itself."""
    from ...backend import cuda
    from ...errors import LqcdError

    try:
        cuda.require()
    except LqcdError as error:
        return Check("CuPy", str(error), NOTE, "run on a node with a GPU, or see `nvidia-smi`")
    return Check("CuPy", "works (LQCD_DEVICE=cuda uses it)")
