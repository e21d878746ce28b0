"""The loop around a site function as CUDA C++: one thread per loop item, exact sums by way of shared memory."""

from __future__ import annotations

from .program import Program

THREADS = 128
SHARED_SUMS = 96  # as many sums have their bins in shared memory (440 bytes each); more go to global memory
OPTIONS = ("-std=c++17", "--fmad=false", "--ftz=false", "--prec-div=true", "--prec-sqrt=true", "--device-int128")

# Copies single slots of a field's buffer to a message and back; number k of slot i is message[k * n + i].
MOVES = """
typedef long long i64;
#define MOVE(name, word, statement)                                                                            \\
  extern "C" __global__ void name(word* message, word* field, const i64* slots, i64 n, i64 reals, i64 group) { \\
    i64 t = (i64)blockIdx.x * blockDim.x + threadIdx.x;                                                        \\
    if (t >= n * reals) return;                                                                                \\
    i64 slot = slots[t % n];                                                                                   \\
    word* place = field + (slot / group * reals + t / n) * group + slot % group;                               \\
    statement;                                                                                                 \\
  }
MOVE(pack_4, unsigned int, message[t] = *place)
MOVE(unpack_4, unsigned int, *place = message[t])
MOVE(pack_8, unsigned long long, message[t] = *place)
MOVE(unpack_8, unsigned long long, *place = message[t])
"""


def source(program: Program):
    """The translation unit of a kernel instance, with the entry `launch(args, begin, end)`.

    With sums there is also `carry_rows(bins, rows)`, to be run after every launch: then bins never overflow.
    """
    return f"{program.preamble}\n{_sums(program) if program.sums else _plain(program)}"


def _plain(program):
    return f"""{_HEAD}
  i64 i = begin + (i64)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= end) return;
  i64 item = a.items ? a.items[i] : i;
  {_site(program)}
}}
"""


def _sums(program):
    """Where all threads of a block have one replica, its bins are in shared memory, then added to the global ones."""
    ns, shared = program.sums, program.sums <= SHARED_SUMS
    return f"""{_HEAD}
  {f"__shared__ i64 bins[{ns} * SUM_BINS];" if shared else ""}
  i64 first = begin + (i64)blockIdx.x * blockDim.x, i = first + threadIdx.x;
  i64 item = i < end ? (a.items ? a.items[i] : i) : 0;
  i64 replica = 0, block_replica = 0;
  if (a.replica_of_item) {{
    block_replica = a.replica_of_item[a.items ? a.items[first] : first];
    replica = i < end ? a.replica_of_item[item] : block_replica;
  }}
  bool mixed = __syncthreads_or(replica != block_replica);
  i64* mine = a.bins + replica * ({ns} * SUM_BINS);
  {_OPEN.format(ns=ns) if shared else ""}
  Sums<L, {ns}> sum(mine, !mixed);
  if (i < end) {{
    {_site(program)}
  }}
  {_CLOSE.format(ns=ns) if shared else ""}
}}
extern "C" __global__ void carry_rows(i64* bins, i64 rows) {{
  i64 row = (i64)blockIdx.x * blockDim.x + threadIdx.x;
  if (row < rows) carry(bins + row * SUM_BINS);
}}
"""


_HEAD = f"""extern "C" __global__ void __launch_bounds__({THREADS})
launch(const __grid_constant__ Args a, i64 begin, i64 end) {{"""

_OPEN = """i64* global = a.bins + block_replica * ({ns} * SUM_BINS);
  for (int k = threadIdx.x; k < {ns} * SUM_BINS; k += blockDim.x) bins[k] = 0;
  __syncthreads();
  if (!mixed) mine = bins;"""

_CLOSE = """__syncthreads();
  for (int k = threadIdx.x; k < {ns}; k += blockDim.x) carry(bins + k * SUM_BINS);
  __syncthreads();
  for (int k = threadIdx.x; k < {ns} * SUM_BINS; k += blockDim.x) if (bins[k]) bin_add(global, k, bins[k]);"""


def _site(program):
    mask = "x.mask = a.lane_masks[i] & 1;" if program.masked else ""
    return f"""Site<L> x;
  x.item = item;
  x.first_ghost = a.first_ghost;
  x.neighbours = x.ahead = a.neighbours + item * a.displacements;
  x.item_ahead = item;
  x.permutations = (const L::S*)a.permutations;
  x.ids = a.ids;
  {mask}
  {program.call}"""
