"""The kernel cache: one library however many start at once; every failure says what to do."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lqcd_hpc import LqcdError
from lqcd_hpc.backend import compiler

SOURCE = 'extern "C" int answer() { return %d; }\n'
BUILD = """
import ctypes, sys, time
from lqcd_hpc.backend import compiler
time.sleep(max(0.0, float(sys.argv[1]) - time.time()))
for k in (1, 2):
    print(ctypes.CDLL(str(compiler.build('extern "C" int answer() { return %d; }' % k, "answer"))).answer())
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty kernel cache."""
    monkeypatch.setenv("LQCD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def forgetful():
    """The choice of a compiler is made anew, before and after."""
    known = (compiler.command, compiler.macros, compiler.flags, compiler._toolchain_digest)
    for function in known:
        function.cache_clear()
    yield
    for function in known:
        function.cache_clear()


def test_eight_processes_on_a_cold_cache_make_one_library(cache):
    start = str(time.time() + 2)
    jobs = [subprocess.Popen([sys.executable, "-c", BUILD, start], stdout=subprocess.PIPE, text=True) for _ in range(8)]
    assert [job.communicate(timeout=60)[0].split() for job in jobs] == [["1", "2"]] * 8
    names = sorted(p.suffix for p in cache.iterdir())
    assert names == [".lock", ".lock", ".so", ".so"], "one library of each source, nothing half made"


def test_what_is_there_is_not_compiled_again(cache, monkeypatch):
    path = compiler.build(SOURCE % 5, "five")
    stamp = path.stat().st_mtime_ns
    monkeypatch.setattr(compiler, "_compile", lambda *_: pytest.fail("compiled again"))
    assert compiler.build(SOURCE % 5, "five") == path and path.stat().st_mtime_ns == stamp
    other = compiler._digest(SOURCE % 6)
    assert other not in path.name


def test_a_filled_cache_may_be_read_only(cache, monkeypatch):
    path = compiler.build(SOURCE % 5, "five")
    monkeypatch.setattr(compiler.os, "access", lambda *_: False)
    assert compiler.build(SOURCE % 5, "five") == path
    with pytest.raises(LqcdError, match="cannot write the kernel cache .* set LQCD_CACHE"):
        compiler.build(SOURCE % 6, "six")


@pytest.mark.parametrize("place", ["/proc/nowhere", "/dev/null/cache"])
def test_an_unwritable_cache_is_one_clear_error(monkeypatch, place):
    monkeypatch.setenv("LQCD_CACHE", place)
    with pytest.raises(LqcdError, match=f"cannot write the kernel cache {place}.*set LQCD_CACHE"):
        compiler.build(SOURCE % 5, "five")


def test_without_a_compiler_three_ways_to_get_one_are_named(monkeypatch, forgetful):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(compiler.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(LqcdError) as caught:
        compiler.command()
    message = str(caught.value)
    assert all(way in message for way in ("apt-get install g++", "module load gcc", "pip install 'lqcd_hpc[compiler]'"))


def test_a_compiler_that_does_not_start_is_named(cache, monkeypatch, forgetful):
    monkeypatch.setenv("CXX", "/nonexistent/g++")
    with pytest.raises(LqcdError, match="cannot start the compiler /nonexistent/g\\+\\+.*set CXX"):
        compiler.build(SOURCE % 5, "five")


def test_the_compiler_can_be_chosen(monkeypatch, forgetful):
    monkeypatch.setenv("CXX", "ccache g++ -v")
    assert compiler.command() == ("ccache", "g++", "-v")


def test_a_source_that_does_not_compile_shows_the_message_and_leaves_nothing(cache):
    with pytest.raises(LqcdError, match="failed:(.|\n)*nonsense"):
        compiler.build("int nonsense(int x) { return y; }\n", "broken")
    assert [p.suffix for p in cache.iterdir()] == [".lock"]


def test_other_flags_give_another_library(cache, monkeypatch, forgetful):
    if compiler.platform.machine() != "x86_64":
        pytest.skip("the flag is for x86-64")
    first = compiler.build(SOURCE % 5, "five")
    monkeypatch.setenv("LQCD_MARCH", "x86-64")
    for function in (compiler.macros, compiler.flags, compiler._toolchain_digest):
        function.cache_clear()
    assert compiler.build(SOURCE % 5, "five") != first


def test_the_cache_is_where_the_variables_say(monkeypatch, tmp_path):
    monkeypatch.setenv("LQCD_CACHE", str(tmp_path / "a"))
    assert compiler.cache_directory() == tmp_path / "a"
    monkeypatch.delenv("LQCD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert compiler.cache_directory() == tmp_path / "b" / "lqcd_hpc"
    assert Path(os.environ["XDG_CACHE_HOME"]).is_dir()
