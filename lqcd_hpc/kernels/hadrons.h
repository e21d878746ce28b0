// Hadron correlators from a propagator S(x): copy j is the source component (spin j / N, colour j % N), so that
// S_{i j} = S_{s a, s' a'} with i = s N + a the sink. Every kernel gives real parts of densities as sums over its sites.
#pragma once
#include "exact_sum.h"
#include "spin.h"

template <int K, class L> FN cx<typename L::T> element(const View<L>& S, const Site<L>& x, int i, int j) {
  const typename L::R* p = address_of_copy<2 * K, K>(S, x.item, j);
  return {number_at<L>(p, 2 * i), number_at<L>(p, 2 * i + 1)};
}
template <class T> FN cx<T> turned(int power, cx<T> z) { return add_turned(power, cx<T>{T{}, T{}}, z); }

// Products of gamma matrices have one entry i^power in every row.
struct Entry { int column, power; };

template <int ND> FN Entry row_of_gamma(int mu, int row) {
  constexpr int half = spins<ND>::half;
  if (row < half) return {half + partner<ND>(mu, row), phase<ND>(mu, row)};
  int i = partner<ND>(mu, row - half);
  return {i, (4 - phase<ND>(mu, i)) & 3};
}
// Row of gamma_x^a gamma_y^b .. for product = a + 2 b + ..
template <int ND> FN Entry row_of_product(int product, int row) {
  Entry e = {row, 0};
  for (int mu = 0; mu < ND; mu++) {
    if (!(product >> mu & 1)) continue;
    Entry next = row_of_gamma<ND>(mu, e.column);
    e = {next.column, (e.power + next.power) & 3};
  }
  return e;
}
// Row of Gammabar gamma5, Gammabar = gamma_t Gamma^dag gamma_t; Gamma^dag is Gamma with its factors in reverse order
template <int ND> FN Entry row_of_bar(int product, int row) {
  Entry first = row_of_gamma<ND>(ND - 1, row), middle = row_of_product<ND>(product, first.column);
  Entry last = row_of_gamma<ND>(ND - 1, middle.column);
  int factors = 0;
  for (int mu = 0; mu < ND; mu++) factors += product >> mu & 1;
  int power = first.power + middle.power + last.power + factors * (factors - 1);
  return {last.column, (power + (last.column < spins<ND>::half ? 0 : 2)) & 3};
}

// - tr[Gamma S Gammabar gamma5 S^dag gamma5] of all 2^ND products Gamma
template <class L, int N, int ND, class A, class S> FN void mesons(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  constexpr int NS = spins<ND>::count, K = NS * N;
  ROLLED for (int product = 0; product < 1 << ND; product++) {
    T total = T{};
    ROLLED for (int m = 0; m < NS; m++) ROLLED for (int j = 0; j < NS; j++) {
      Entry left = row_of_product<ND>(product, m), right = row_of_bar<ND>(product, j);
      cx<T> z = {T{}, T{}};
      ROLLED for (int b = 0; b < N; b++) UNROLL for (int c = 0; c < N; c++)
        mac_conj(z, element<K>(a.S, x, left.column * N + c, j * N + b), element<K>(a.S, x, m * N + c, right.column * N + b));
      int gamma5 = m < NS / 2 ? 0 : 2;
      total = total - turned((left.power + right.power + gamma5) & 3, z).re;
    }
    sum.add(x, product, total);
  }
}

// tr[P <N Nbar>] of N = eps_abc (u_a^T C gamma5 d_b) u_c for u = d, P = (1 + gamma_t)/2. With G = C gamma5 and
//   V_{cA}(I, K) = eps_abc eps_ABC sum_i (G S G^T)_{i b, I B} S_{i a, K C}
// it is - sum_{c A} [(sum_I V_{cA}(I, I)) (P S)_{c A} + sum_{I K} V_{cA}(I, K) (P S)_{K c, I A}], first P S traced over spin.
template <class L, class A, class S> FN void nucleon(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  constexpr int K = 12, YT = 10, FIVE = 15;  // gamma_y gamma_t, and all four
  T total = T{};
  cx<T> diagonal[3][3], traced[3][3];
  UNROLL for (int c = 0; c < 3; c++) UNROLL for (int d = 0; d < 3; d++) diagonal[c][d] = traced[c][d] = {T{}, T{}};
  ROLLED for (int I = 0; I < 4; I++) ROLLED for (int J = 0; J < 4; J++) {
    cx<T> v[3][3];
    UNROLL for (int c = 0; c < 3; c++) UNROLL for (int d = 0; d < 3; d++) v[c][d] = {T{}, T{}};
    Entry right = row_of_product<4>(YT, I);
    right = {right.column, right.power + row_of_product<4>(FIVE, right.column).power};
    ROLLED for (int i = 0; i < 4; i++) {
      Entry left = row_of_product<4>(YT, i);
      int power = (left.power + row_of_product<4>(FIVE, left.column).power + right.power) & 3;
      ROLLED for (int c = 0; c < 3; c++) {
        int a1 = c == 2 ? 0 : c + 1, a2 = c == 0 ? 2 : c - 1;
        cx<T> w1[3], w2[3], s1[3], s2[3];
        UNROLL for (int d = 0; d < 3; d++) {
          w1[d] = turned(power, element<K>(a.S, x, left.column * 3 + a1, right.column * 3 + d));
          w2[d] = turned(power, element<K>(a.S, x, left.column * 3 + a2, right.column * 3 + d));
          s1[d] = element<K>(a.S, x, i * 3 + a1, J * 3 + d);
          s2[d] = element<K>(a.S, x, i * 3 + a2, J * 3 + d);
        }
        UNROLL for (int d = 0; d < 3; d++) {  // (a, b) = (a1, a2) or, with the other sign, (a2, a1); likewise (B, C)
          int d1 = (d + 1) % 3, d2 = (d + 2) % 3;
          cx<T> z = mul(w2[d1], s1[d2]) - mul(w1[d1], s2[d2]) - mul(w2[d2], s1[d1]) + mul(w1[d2], s2[d1]);
          v[c][d] = v[c][d] + z;
        }
      }
    }
    UNROLL for (int c = 0; c < 3; c++) UNROLL for (int d = 0; d < 3; d++) {
      cx<T> projected = element<K>(a.S, x, J * 3 + c, I * 3 + d) + element<K>(a.S, x, (J ^ 2) * 3 + c, I * 3 + d);
      total = total - mul(v[c][d], projected).re;
      if (I == J) {
        diagonal[c][d] = diagonal[c][d] + v[c][d];
        traced[c][d] = traced[c][d] + projected;
      }
    }
  }
  UNROLL for (int c = 0; c < 3; c++) UNROLL for (int d = 0; d < 3; d++) total = total - mul(diagonal[c][d], traced[c][d]).re;
  sum.add(x, 0, constant<T>(0.5) * total);
}

// |S|^2 over all K components and C copies
template <class L, int K, int C, class A, class S> FN void square(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  T total = T{};
  ROLLED for (int copy = 0; copy < C; copy++) total = total + norm2(load_vector<K, C>(a.S, x, copy));
  sum.add(x, 0, total);
}
