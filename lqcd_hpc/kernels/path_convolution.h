// Convolutions that transport along paths: out_a(x) = sum_p sum_b W_p^{ab} V_p(x) psi_b(x + d_p)
//
// V_p is the product of links along path p, W_p^{ab} a matrix on spin. Features a, b are copies of a field, and so are right-hand
// sides: copy = feature * R + right-hand side, so that V_p is loaded once for all of them.
#pragma once
#include "finish.h"
#include "path.h"

// V_p(x) of P paths in one buffer, those of a site together; the program is that of path.h
template <class L, int N, int P, class A> FN void path_links(const Site<L>& x, const A& a) {
  const int* p = a.program;
  ROLLED for (int k = 0; k < P; k++, p += 3 + p[1]) {
    matrix<typename L::T, N> v = walk<N>(x, a.U, p + 3, p[1]);
    typename L::R* to = address<2 * N * N * P>(a.links, 0, x.item) + k * (2 * N * N * L::G);
    UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) {
      store_number<L>(to, 2 * (i * N + j), x, v.e[i][j].re);
      store_number<L>(to, 2 * (i * N + j) + 1, x, v.e[i][j].im);
    }
  }
}
// U_mu <- z U_mu, on the slice that a hop leaves the lattice from
template <class L, int N, int MU, class A> FN void turn_link(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  matrix<T, N> u = load_matrix<N>(a.U, MU, x, here(x));
  cx<T> z = {constant<T>(a.re), constant<T>(a.im)};
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) u.e[i][j] = mul(z, u.e[i][j]);
  store_matrix<N>(a.U, MU, x, u);
}

// Where the spin matrices are: in a table, in a field at x, or (for the adjoint) in a field at x + d_p, the other way round
static constexpr int EVERYWHERE = 0, OF_SITE = 1, OF_NEIGHBOUR = 2;

template <class L, int M, int WHERE> struct spin_matrix {
  typedef typename L::T T;
  const typename L::R* p;
  const typename L::S* permuted;  // lanes of a neighbour, if they are
  FN_MEMBER T number(int k) const {
    if constexpr (WHERE == EVERYWHERE) return constant<T>(p[k]);
    else {
      T v = number_at<L>(p, k);
      if constexpr (WHERE == OF_NEIGHBOUR && L::W > 1) if (UNLIKELY(permuted != nullptr)) v = shuffle(v, *permuted);
      return v;
    }
  }
  FN_MEMBER cx<T> operator()(int s, int t) const {
    if constexpr (WHERE == OF_NEIGHBOUR) return {number(2 * (t * M + s)), -number(2 * (t * M + s) + 1)};
    return {number(2 * (s * M + t)), number(2 * (s * M + t) + 1)};
  }
};
// W_p^{fb} of P x OUT x IN
template <int M, int WHERE, int P, int OUT, int IN, class L, class A>
FN spin_matrix<L, M, WHERE> matrix_of(const A& a, const Site<L>& x, Ref there, int p, int f, int b) {
  constexpr int size = 2 * M * M;
  if constexpr (WHERE == EVERYWHERE) return {a.weights + ((p * OUT + f) * IN + b) * size, nullptr};
  else if constexpr (WHERE == OF_SITE) return {address<size * P * OUT * IN>(a.weights, 0, x.item) + ((p * OUT + f) * IN + b) * (size * L::G), nullptr};
  else return {address<size * P * OUT * IN>(a.weights, 0, there.item) + ((a.backwards[p] * IN + b) * OUT + f) * (size * L::G),
               there.permutation ? x.permutations + there.permutation : nullptr};
}
// r += W h for every colour
template <int M, int N, class T, class W> FN void add_turned_spins(vector<T, M * N>& r, const W& w, const vector<T, M * N>& h) {
  UNROLL for (int s = 0; s < M; s++) UNROLL for (int t = 0; t < M; t++) {
    cx<T> z = w(s, t);
    UNROLL for (int c = 0; c < N; c++) mac(r.e[s * N + c], z, h.e[t * N + c]);
  }
}
// Copy `copy` of psi at x + d_p
template <int K, int C, class L> FN vector<typename L::T, K> load_neighbour(const View<L>& f, const Site<L>& x, Ref there, int copy) {
  const typename L::R* p = address_of_copy<2 * K, C>(f, there.item, copy);
  vector<typename L::T, K> h;
  UNROLL for (int k = 0; k < K; k++) h.e[k] = {number_at<L>(p, 2 * k), number_at<L>(p, 2 * k + 1)};
  if constexpr (L::W > 1) {
    if (UNLIKELY(there.permutation)) {
      typename L::S index = x.permutations[there.permutation];
      UNROLL for (int k = 0; k < K; k++) h.e[k] = {shuffle(h.e[k].re, index), shuffle(h.e[k].im, index)};
    }
  }
  return h;
}
// V h of every spin; number -1 is the path without steps, V = 1
template <int M, int N, int STORED, class L, class A>
FN vector<typename L::T, M * N> along(const A& a, const Site<L>& x, int number, const vector<typename L::T, M * N>& h) {
  typedef typename L::T T;
  if (number < 0) return h;
  if constexpr (STORED > 0) {
    matrix_view<L, N> v = {(const T*)(address<2 * N * N * STORED>(a.links, 0, x.item) + number * (2 * N * N * L::G))};
    vector<T, M * N> g;
    UNROLL for (int s = 0; s < M; s++) UNROLL for (int i = 0; i < N; i++) {
      cx<T> z = mul(v(i, 0), h.e[s * N]);
      UNROLL for (int j = 1; j < N; j++) mac(z, v(i, j), h.e[s * N + j]);
      g.e[s * N + i] = z;
    }
    return g;
  }
  return h;
}

// M spins, N colours, P paths of which STORED have links, IN and OUT features, R right-hand sides
template <class L, int M, int N, int P, int STORED, int IN, int OUT, int R, int WHERE, int FINISH, class A, class... S>
FN void path_convolution(const Site<L>& x, const A& a, S&... sum) {
  typedef typename L::T T;
  constexpr int K = M * N;
  ROLLED for (int rhs = 0; rhs < R; rhs++) {
    vector<T, K> r[OUT];
    UNROLL for (int f = 0; f < OUT; f++) r[f] = zero_vector<T, K>();
    ROLLED for (int p = 0; p < P; p++) {
      Ref there = at(x, p);
      int number = a.stored[p];
      if constexpr (OUT < IN) {  // the fewer features are transported
        vector<T, K> h[IN];
        UNROLL for (int b = 0; b < IN; b++) h[b] = load_neighbour<K, IN * R>(a.psi, x, there, b * R + rhs);
        UNROLL for (int f = 0; f < OUT; f++) {
          vector<T, K> w = zero_vector<T, K>();
          UNROLL for (int b = 0; b < IN; b++)
            add_turned_spins<M, N>(w, matrix_of<M, WHERE, P, OUT, IN>(a, x, there, p, f, b), h[b]);
          vector<T, K> g = along<M, N, STORED>(a, x, number, w);
          UNROLL for (int k = 0; k < K; k++) r[f].e[k] = r[f].e[k] + g.e[k];
        }
      } else {
        UNROLL for (int b = 0; b < IN; b++) {
          vector<T, K> g = along<M, N, STORED>(a, x, number, load_neighbour<K, IN * R>(a.psi, x, there, b * R + rhs));
          UNROLL for (int f = 0; f < OUT; f++)
            add_turned_spins<M, N>(r[f], matrix_of<M, WHERE, P, OUT, IN>(a, x, there, p, f, b), g);
        }
      }
    }
    UNROLL for (int f = 0; f < OUT; f++) finish<FINISH, OUT * R>(x, a, f * R + rhs, r[f], sum...);
  }
}

// The gradient with respect to W of a real function with gradient `slope` with respect to `out`:
//   G_p^{ab} = sum_x sum over right-hand sides and colours of slope_a(x) (V_p(x) psi_b(x + d_p))^dag
// for the paths first, first + 1, .. of TOGETHER. Terms are rounded to multiples of `unit`, and their sums exact; without SUM they are
// stored at x instead of summed over x.
template <class L, int M, int N, int P, int STORED, int IN, int OUT, int R, int TOGETHER, int SUM, class A, class... S>
FN void path_weight_gradient(const Site<L>& x, const A& a, S&... sum) {
  typedef typename L::T T;
  constexpr int K = M * N, size = 2 * M * M;
  ROLLED for (int m = 0; m < TOGETHER && a.first + m < P; m++) {
    int p = a.first + m, number = a.stored[p];
    Ref there = at(x, p);
    ROLLED for (int b = 0; b < IN; b++) ROLLED for (int f = 0; f < OUT; f++) {
      T z[size];
      UNROLL for (int k = 0; k < size; k++) z[k] = T{};
      ROLLED for (int rhs = 0; rhs < R; rhs++) {
        vector<T, K> g = along<M, N, STORED>(a, x, number, load_neighbour<K, IN * R>(a.psi, x, there, b * R + rhs));
        vector<T, K> d = load_vector<K, OUT * R>(a.slope, x, f * R + rhs);
        UNROLL for (int s = 0; s < M; s++) UNROLL for (int t = 0; t < M; t++) {
          cx<T> w = {z[2 * (s * M + t)], z[2 * (s * M + t) + 1]};
          UNROLL for (int c = 0; c < N; c++) mac_conj(w, d.e[s * N + c], g.e[t * N + c]);
          z[2 * (s * M + t)] = w.re;
          z[2 * (s * M + t) + 1] = w.im;
        }
      }
      int k0 = (f * IN + b) * size;
      if constexpr (SUM) {
        ROLLED for (int k = 0; k < size; k++) (sum.add_rounded(x, m * OUT * IN * size + k0 + k, z[k], a.unit), ...);
      } else {
        typename L::R* to = address<size * P * OUT * IN>(a.gradient, 0, x.item) + (p * OUT * IN * size + k0) * L::G;
        UNROLL for (int k = 0; k < size; k++) store_number<L>(to, k, x, z[k]);
      }
    }
  }
}
