"""Small kernels that only tests need, and a choice of how many lanes a number has."""

import hashlib
import os
from contextlib import contextmanager

from lqcd_hpc.backend import compiler, cpu
from lqcd_hpc.fields.launch import Kernel, in_, inout, out

TEXT = r"""
#pragma once
#include "math.h"
#include "random.h"

// out_k(x) = in(x + displacement k)
template <class L, class A> FN void gather(const Site<L>& x, const A& a) {
  for (int k = 0; k < a.count; k++) {
    typename L::T v[2];
    load<2>(v, a.in, 0, x, at(x, k));
    store<2>(a.out, k, x, v);
  }
}
// f(x) <- a f(x) + sum_k f(x + displacement k)
template <class L, class A> FN void relax(const Site<L>& x, const A& a) {
  typename L::T s[1], v[1];
  load<1>(s, a.f, 0, x, here(x));
  s[0] = constant<typename L::T>(a.factor) * s[0];
  for (int k = 0; k < a.count; k++) {
    load<1>(v, a.f, 0, x, at(x, k));
    s[0] = s[0] + v[0];
  }
  store<1>(a.f, 0, x, s);
}
template <class L, class A, class S> FN void scalar_sums(const Site<L>& x, const A& a, S& sum) {
  typename L::T v[1];
  for (int k = 0; k < 2; k++) {
    load<1>(v, a.f, k, x, here(x));
    sum.add(x, k, v[0]);
  }
}
template <class L, class A> FN void draws(const Site<L>& x, const A& a) {
  typename L::D u[1], v[1];
  if (a.normal) normal_pair(a.key, x, (u32)a.direction, (u32)a.trial, u[0], v[0]);
  else uniform_pair(a.key, x, (u32)a.direction, (u32)a.trial, u[0], v[0]);
  store<1>(a.out, 0, x, u);
  store<1>(a.out, 1, x, v);
}
// exp x, log |x|, sin x, cos x, sin 2 pi x, cos 2 pi x, atan2(y, x)
template <class L, class A> FN void functions(const Site<L>& x, const A& a) {
  typename L::D v[1], y[1], r[7];
  load<1>(v, a.in, 0, x, here(x));
  load<1>(y, a.in, 1, x, here(x));
  r[0] = exponential(v[0]);
  r[1] = logarithm(absolute(v[0]));
  sincos(v[0], r[2], r[3]);
  sincos_turns(v[0], r[4], r[5]);
  r[6] = arctan2(y[0], v[0]);
  for (int k = 0; k < 7; k++) {
    v[0] = r[k];
    store<1>(a.out, k, x, v);
  }
}
"""


def header():
    """The path of the header with the site functions above; its name follows its content, as a cache needs it."""
    digest = hashlib.sha256(TEXT.encode()).hexdigest()[:16]
    path = compiler.cache_directory() / f"site-functions-of-tests-{digest}.h"
    if not path.exists():
        mine = path.with_suffix(f".{os.getpid()}")
        mine.write_text(TEXT)
        os.replace(mine, path)
    return str(path)


def gather(displacements):
    """out_k(x) = in(x + displacement k), complex numbers (1 x 1 matrices)."""
    args = (in_("in", displacements), out("out"))
    return Kernel(header(), "gather", (), args, tuple(displacements), scalars=(("count", "i64"),))


def relax(displacements):
    """f(x) <- factor f(x) + sum_k f(x + displacement k), scalars."""
    scalars = (("count", "i64"), ("factor", "double"))
    return Kernel(header(), "relax", (), (inout("f", displacements),), tuple(displacements), scalars=scalars)


def scalar_sums():
    """The sums of the two buffers of f over the domain."""
    return Kernel(header(), "scalar_sums", (), (in_("f"),), sums=("first", "second"))


def draws():
    """A pair of random numbers per site, uniform or normal."""
    scalars = (("key", "RandomKey"), ("direction", "i64"), ("trial", "i64"), ("normal", "i64"))
    return Kernel(header(), "draws", (), (out("out"),), scalars=scalars)


def functions():
    """exp, log, sin, cos, sin and cos of turns, atan2 of buffers x, y."""
    return Kernel(header(), "functions", (), (in_("in"), out("out")))


@contextmanager
def simd(size):
    """Numbers of so many bytes (16, 32, 64; 8 is one double) for lattices made inside."""
    before = os.environ.get("LQCD_SIMD_BYTES")
    os.environ["LQCD_SIMD_BYTES"] = str(size)
    cpu.simd_bytes.cache_clear()
    try:
        yield size
    finally:
        os.environ.pop("LQCD_SIMD_BYTES")
        if before is not None:
            os.environ["LQCD_SIMD_BYTES"] = before
        cpu.simd_bytes.cache_clear()
