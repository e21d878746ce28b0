"""CPU backend: an OpenMP loop over blocks of lanes, compiled once and called through ctypes."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path

from . import compiler
from .program import Program

NAME = "cpu"


@cache
def simd_bytes():
    """Bytes of the widest vector register of this processor that the compiler knows: 64, 32 or 16."""
    if override := os.environ.get("LQCD_SIMD_BYTES"):
        return int(override)
    macros = compiler.macros()
    return 64 if "__AVX512F__" in macros else 32 if "__AVX2__" in macros else 16


def lanes(item_size):
    """Lanes of a number of `item_size` bytes, and lanes of a memory block: the same on the CPU.

    `LQCD_GROUP` asks for the memory order of a GPU instead: one lane, in blocks of so many; tests compare the two.
    """
    if group := os.environ.get("LQCD_GROUP"):
        return 1, int(group)
    width = max(1, simd_bytes() // item_size)
    return width, width


def default_threads(ranks_on_node):
    """Cores of this rank: its affinity, shared among the ranks of the node where they are not bound."""
    mine = len(os.sched_getaffinity(0))
    if override := os.environ.get("OMP_NUM_THREADS"):
        return max(1, int(override.split(",")[0]))
    return max(1, mine // ranks_on_node) if mine >= (os.cpu_count() or 1) else mine


def source(program: Program):
    """The translation unit of a kernel instance."""
    sums = f", Sums<L, {program.sums}>& sum" if program.sums else ""
    turn = "if (a.replica_of_item) sum.turn_to(a.replica_of_item[item]);" if program.sums else ""
    return f"""{program.preamble}
#include <vector>
#include <omp.h>
static constexpr i64 AHEAD = 2;  // items between a prefetch and its use
static void work(const Args& a, i64 begin, i64 end{sums}) {{
  Site<L> x;
  x.permutations = (const L::S*)a.permutations;
  x.ids = a.ids;
  x.first_ghost = a.first_ghost;
  for (i64 i = begin; i < end; i++) {{
    i64 item = a.items ? a.items[i] : i;
    {turn}
    x.item = item;
    x.neighbours = a.neighbours + item * a.displacements;
    i64 later = i + AHEAD < end ? i + AHEAD : i;
    x.item_ahead = a.items ? a.items[later] : later;
    x.ahead = a.neighbours + x.item_ahead * a.displacements;
    {_mask_code(program)}
    {program.call}
  }}
}}
{_launch_sums(program) if program.sums else _LAUNCH}
"""


def _mask_code(program):
    if not program.masked:
        return ""
    if program.lanes == 1:
        return "x.mask = a.lane_masks[i] & 1;"
    return "for (int l = 0; l < L::W; l++) x.mask[l] = -(typename L::I)((a.lane_masks[i] >> l) & 1);"


_SPLIT = "i64 n = end - begin, t = omp_get_thread_num(), p = omp_get_num_threads();"

_LAUNCH = f"""
extern "C" void launch(const Args* args, i64 begin, i64 end, i64) {{
  const Args& a = *args;
  if (a.threads <= 1) {{ work(a, begin, end); return; }}
#pragma omp parallel num_threads(a.threads)
  {{ {_SPLIT} work(a, begin + n * t / p, begin + n * (t + 1) / p); }}
}}"""


def _launch_sums(program):
    ns = program.sums
    return f"""
extern "C" void launch(const Args* args, i64 begin, i64 end, i64 replicas) {{
  const Args& a = *args;
  if (a.threads <= 1) {{
    Sums<L, {ns}> sum(a.bins, a.replica_of_lane);
    work(a, begin, end, sum);
    sum.flush_all();
    return;
  }}
#pragma omp parallel num_threads(a.threads)
  {{
    std::vector<i64> own(replicas * {ns} * SUM_BINS);
    Sums<L, {ns}> sum(own.data(), a.replica_of_lane);
    {_SPLIT}
    work(a, begin + n * t / p, begin + n * (t + 1) / p, sum);
    sum.flush_all();
#pragma omp critical
    for (i64 k = 0; k < (i64)own.size(); k++) a.bins[k] += own[k];
  }}
}}"""


@cache
def load(program: Program):
    """The compiled launch function `(args*, begin, end, replicas)`."""
    library = ctypes.CDLL(str(compiler.build(source(program), program.function)))
    function = library.launch
    function.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64]
    function.restype = None
    return function


@cache
def runtime():
    """Hand-written helpers (halo packing, sequences, memory, rounding of sums): runtime.cpp."""
    text = (Path(__file__).parent / "runtime.cpp").read_text()
    return ctypes.CDLL(str(compiler.build(text, "runtime")))
