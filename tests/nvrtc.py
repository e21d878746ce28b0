"""NVRTC by ctypes from the wheel nvidia-cuda-nvrtc: CUDA C++ to machine code, on a machine without a GPU."""

import ctypes
import importlib.util
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lqcd_hpc.backend.cuda_source import OPTIONS
from lqcd_hpc.backend.program import KERNELS


@dataclass(frozen=True)
class Binary:
    """Machine code of kernels, and what the assembler says of them: registers of a thread, bytes of spilled ones."""

    code: bytes
    registers: int
    spilled: int


@cache
def library():
    """The library of the wheel; raises ImportError where the wheel is not installed."""
    spec = importlib.util.find_spec("nvidia")
    folders = spec.submodule_search_locations if spec else ()
    found = [path for folder in folders for path in Path(folder).rglob("libnvrtc.so.*")]
    if not found:
        raise ImportError("no NVRTC: pip install nvidia-cuda-nvrtc (the extra `test` has it)")
    for built_in in found[0].parent.glob("libnvrtc-builtins.so.*"):  # what the library opens by name
        ctypes.CDLL(str(built_in))
    return ctypes.CDLL(str(found[0]))


def compiled(source, architecture):
    """The `Binary` for an architecture such as "sm_90"; raises ValueError with the compiler's log."""
    nvrtc, program = library(), ctypes.c_void_p()
    options = [*OPTIONS, f"--gpu-architecture={architecture}", f"-I{KERNELS}", "--ptxas-options=-v"]
    words = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernels.cu", 0, None, None)
    try:
        failed = nvrtc.nvrtcCompileProgram(program, len(words), words)
        log = _fetch(nvrtc, program, "ProgramLog").decode()
        if failed:
            raise ValueError(log[:4000])
        numbers = (re.findall(pattern, log) for pattern in (r"Used (\d+) reg", r"(\d+) bytes spill stores"))
        return Binary(_fetch(nvrtc, program, "CUBIN"), *(max(map(int, found)) for found in numbers))
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _fetch(nvrtc, program, what):
    size = ctypes.c_size_t()
    getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    getattr(nvrtc, f"nvrtcGet{what}")(program, buffer)
    return buffer.raw
