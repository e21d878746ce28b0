"""Finds a C++ compiler and keeps what it compiled, by digest of source, flags and processor.

The cache is safe when many ranks, also on several nodes with a shared file system, start at once: a library is
written to a name of its own and renamed, and a lock file lets one process of a node compile while the others wait.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from ..errors import LqcdError
from .program import KERNELS

FLAGS = [
    "-O3",
    "-std=c++17",
    "-shared",
    "-fPIC",
    "-fopenmp",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-Wno-psabi",
    "-Wno-ignored-attributes",
    "-Wno-attributes",
]


def cache_path():
    """Where compiled kernels are kept: $LQCD_CACHE, else ~/.cache/lqcd_hpc. It need not exist."""
    root = os.environ.get("LQCD_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "lqcd_hpc"
    )
    return Path(root)


def cache_directory():
    """The kernel cache, made if need be; raises `LqcdError` if it cannot be written."""
    path = cache_path()
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK):
            raise PermissionError
    except OSError:
        raise LqcdError(
            f"cannot write the kernel cache {path}: set LQCD_CACHE to a directory that all ranks can write"
        ) from None
    return path


@cache
def command():
    """The C++ compiler as a list of words: $CXX, g++, clang++, or zig from the ziglang wheel."""
    if chosen := os.environ.get("CXX"):
        return tuple(chosen.split())
    for name in ("g++", "clang++"):
        if path := shutil.which(name):
            return (path,)
    if importlib.util.find_spec("ziglang"):
        return (sys.executable, "-m", "ziglang", "c++")
    raise LqcdError(
        "no C++ compiler found; get one in one of three ways: a system package (apt-get install g++), the site's "
        "compiler module (module load gcc), or a wheel (pip install 'lqcd_hpc[compiler]')"
    )


@cache
def macros():
    """What the compiler predefines for this processor (identifies its instruction set)."""
    done = _run([*command(), *_processor_flags(), "-dM", "-E", "-x", "c++", "/dev/null"])
    return done


@cache
def flags():
    """Compiler flags, less those that this compiler refuses."""
    optional = ["-fopenmp", "-mprefer-vector-width=512"]
    wanted = [*FLAGS, *_processor_flags(), "-mprefer-vector-width=512"]
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder, "probe.cpp")
        probe.write_text("#ifdef _OPENMP\n#include <omp.h>\n#endif\nint f() { return 0; }\n")
        for flag in optional:
            trial = [*command(), *wanted, str(probe), "-o", str(probe.with_suffix(".so"))]
            if subprocess.run(trial, capture_output=True).returncode:
                wanted = [f for f in wanted if f != flag]
    return tuple(wanted)


def build(source, name):
    """The path of the library compiled from `source`; compiles it if the cache does not hold it yet.

    Raises `LqcdError` with the compiler's message if the source does not compile.
    """
    target = cache_path() / f"{name}-{_digest(source)}.so"
    if target.exists():  # also in a cache that was filled ahead and is read-only
        return target
    cache_directory()
    with open(target.with_suffix(f".{socket.gethostname()}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _compile(source, target)
    return target


def _compile(source, target):
    handle, temporary = tempfile.mkstemp(suffix=".so", dir=target.parent)
    os.close(handle)
    text = target.with_suffix(f".{os.getpid()}.{socket.gethostname()}.cpp")
    try:
        text.write_text(source)
        _run([*command(), *flags(), f"-I{KERNELS}", str(text), "-o", temporary])
        if _read_headers() != headers_digest():
            raise LqcdError(f"the kernels in {KERNELS} were changed while this program runs: start it again")
        os.replace(temporary, target)
    except OSError as error:
        raise LqcdError(f"cannot write the kernel cache {target.parent}: {error.strerror}; set LQCD_CACHE") from None
    finally:
        for leftover in (temporary, text):
            Path(leftover).unlink(missing_ok=True)


def _run(words):
    try:
        done = subprocess.run(words, capture_output=True, text=True)
    except OSError as error:
        raise LqcdError(f"cannot start the compiler {words[0]}: {error.strerror}; set CXX to one that works") from None
    if done.returncode:
        tail = "\n".join(done.stderr.strip().splitlines()[:30])
        raise LqcdError(f"the compiler {' '.join(command())} failed:\n{tail}")
    return done.stdout


@cache
def headers_digest():
    """A digest of all kernel headers, as they were when this process first asked."""
    return _read_headers()


def _read_headers():
    digest = hashlib.sha256()
    for header in sorted(KERNELS.glob("*.h")):
        digest.update(header.read_bytes())
    return digest.hexdigest()


@cache
def _toolchain_digest():
    version = _run([*command(), "--version"])
    return hashlib.sha256("\n".join([version, *flags(), macros()]).encode()).hexdigest()


def _digest(source):
    text = "\n".join([source, headers_digest(), _toolchain_digest()])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _processor_flags():
    if os.environ.get("LQCD_MARCH"):
        return [f"-march={os.environ['LQCD_MARCH']}"]
    return ["-march=native"] if platform.machine() in ("x86_64", "AMD64") else ["-mcpu=native"]
