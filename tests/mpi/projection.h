// A hop with projections, for tests: out(x) = sum_mu P+ psi(x+mu) + P- psi(x-mu), four reals to two.
#pragma once
#include "site.h"

template <int SIGN, class T> FN void half(T (&out)[2], const T (&in)[4]) {
  out[0] = SIGN > 0 ? in[0] + in[2] : in[0] - in[3];
  out[1] = SIGN > 0 ? in[1] - in[3] : in[1] + in[2];
}
template <class L, int NUMBER, int ND, class A> FN void project_half(const Site<L>& x, const A& a) {
  typename L::T in[4], out[2];
  load<4>(in, a.full, 0, x, here(x));
  half<(NUMBER < ND ? 1 : -1)>(out, in);
  store<2>(a.part, NUMBER, x, out);
}
template <class L, int ND, class A> FN void half_hop(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  T sum[2] = {T{}, T{}}, h[2];
  UNROLL for (int d = 0; d < 2 * ND; d++) {
    if (d < ND) load_projected<4, 2>(h, a.psi, a.psi_halo, d, x, at(x, d), [](T (&o)[2], const T (&i)[4]) INLINED { half<1>(o, i); });
    else load_projected<4, 2>(h, a.psi, a.psi_halo, d, x, at(x, d), [](T (&o)[2], const T (&i)[4]) INLINED { half<-1>(o, i); });
    sum[0] = sum[0] + h[0];
    sum[1] = sum[1] + h[1];
  }
  store<2>(a.out, 0, x, sum);
}
