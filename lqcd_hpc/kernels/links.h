// Links as operators read them (hop.h): weight[mu] U_mu(x), and weight[mu] U_mu(x-mu), ROWS of each, together in one buffer.
#pragma once
#include "gauge.h"

template <class L, int N, int ND, int ROWS, int STORED, class A> FN void gather_links(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  typename L::R* p = address<2 * STORED * ROWS * N>(a.links, 0, x.item);
  ROLLED for (int k = 0; k < STORED; k++) {
    int mu = k % ND;
    matrix<T, N> u = load_matrix<N>(a.U, mu, x, k < ND ? here(x) : at(x, backward<ND>(mu)));
    T weight = constant<T>(a.weights[mu]);
    UNROLL for (int i = 0; i < ROWS; i++) UNROLL for (int j = 0; j < N; j++) {
      store_number<L>(p, 2 * ((k * ROWS + i) * N + j), x, weight * u.e[i][j].re);
      store_number<L>(p, 2 * ((k * ROWS + i) * N + j) + 1, x, weight * u.e[i][j].im);
    }
  }
}
