// Vectors of K complex numbers per site and copy: the updates and products of Krylov solvers. Numbers that a solver computes
// (fields/numbers.py) are read where they were reduced to. Copies are independent systems.
#pragma once
#include "finish.h"

// Complex number `name` of the solver: real part, then imaginary part
template <class L, int C, class A> FN cx<typename L::T> complex_number(const A& a, const Site<L>& x, int name, int copy) {
  return {solver_number<L, C>(a, x, name, copy), solver_number<L, C>(a, x, name + 1, copy)};
}
// out = number[0] first + number[2] second, and the sum |out|^2
template <class L, int K, int C, class A, class S> FN void combine(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> r = zero_vector<T, K>();
    add_scaled(r, complex_number<L, C>(a, x, 0, copy), load_vector<K, C>(a.first, x, copy));
    add_scaled(r, complex_number<L, C>(a, x, 2, copy), load_vector<K, C>(a.second, x, copy));
    store_vector<C>(a.out, x, copy, r);
    add_sum<C>(x, sum, 0, copy, norm2(r));
  }
}
// out += number[0] in, and the sum |out|^2
template <class L, int K, int C, class A, class S> FN void accumulate(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> r = load_vector<K, C>(a.out, x, copy);
    add_scaled(r, complex_number<L, C>(a, x, 0, copy), load_vector<K, C>(a.in, x, copy));
    store_vector<C>(a.out, x, copy, r);
    add_sum<C>(x, sum, 0, copy, norm2(r));
  }
}
// Sums Re, Im of <left, right> and |right|^2
template <class L, int K, int C, class A, class S> FN void product(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> r = load_vector<K, C>(a.right, x, copy);
    cx<T> z = inner(load_vector<K, C>(a.left, x, copy), r);
    add_sum<C>(x, sum, 0, copy, z.re);
    add_sum<C>(x, sum, 1, copy, z.im);
    add_sum<C>(x, sum, 2, copy, norm2(r));
  }
}
// r -= number[0] q, sum |r|^2
template <class L, int K, int C, class A, class S> FN void descend(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> r = load_vector<K, C>(a.r, x, copy);
    add_scaled(r, -solver_number<L, C>(a, x, 0, copy), load_vector<K, C>(a.q, x, copy));
    store_vector<C>(a.r, x, copy, r);
    add_sum<C>(x, sum, 0, copy, norm2(r));
  }
}
// x += number[0] p; p = number[2] r + number[1] p; with NORM_P the sum |p|^2
template <class L, int K, int C, int NORM_P, class A, class... S> FN void advance(const Site<L>& x, const A& a, S&... sum) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> p = load_vector<K, C>(a.p, x, copy), s = load_vector<K, C>(a.x, x, copy), r = load_vector<K, C>(a.r, x, copy);
    T alpha = solver_number<L, C>(a, x, 0, copy), beta = solver_number<L, C>(a, x, 1, copy), keep = solver_number<L, C>(a, x, 2, copy);
    UNROLL for (int k = 0; k < K; k++) {
      s.e[k] = {madd(alpha, p.e[k].re, s.e[k].re), madd(alpha, p.e[k].im, s.e[k].im)};
      p.e[k] = {madd(beta, p.e[k].re, keep * r.e[k].re), madd(beta, p.e[k].im, keep * r.e[k].im)};
    }
    store_vector<C>(a.x, x, copy, s);
    store_vector<C>(a.p, x, copy, p);
    if constexpr (NORM_P != 0) (add_sum<C>(x, sum, 0, copy, norm2(p)), ...);
  }
}
// The same for systems A + shift_k at once (arXiv:hep-lat/9612014): x_k += alpha_k p_k, p_k = zeta_k r + beta_k p_k in buffer k,
// for the shifts that are not done: numbers `first` + 3 k + (0, 1, 2) are alpha_k, zeta_k, beta_k
template <class L, int K, int C, class A> FN void advance_shifts(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> r = load_vector<K, C>(a.r, x, copy);
    ROLLED for (int k = 0; k < a.numbers[a.live]; k++) {
      View<L> xs = {a.x.data + k * a.x.stride, a.x.stride}, ps = {a.p.data + k * a.p.stride, a.p.stride};
      vector<T, K> p = load_vector<K, C>(ps, x, copy), s = load_vector<K, C>(xs, x, copy), q = zero_vector<T, K>();
      int name = a.first + 3 * k;
      add_scaled(s, solver_number<L, C>(a, x, name, copy), p);
      add_scaled(q, solver_number<L, C>(a, x, name + 1, copy), r);
      add_scaled(q, solver_number<L, C>(a, x, name + 2, copy), p);
      store_vector<C>(xs, x, copy, s);
      store_vector<C>(ps, x, copy, q);
    }
  }
}
// BiCGStab (van der Vorst 1992), with the numbers 0 alpha, 2 omega, 4 beta:
// x += alpha p + omega r; r -= omega t; sums |r|^2 and Re, Im of <shadow, r>
template <class L, int K, int C, class A, class S> FN void stabilise(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> r = load_vector<K, C>(a.r, x, copy), s = load_vector<K, C>(a.x, x, copy);
    cx<T> omega = complex_number<L, C>(a, x, 2, copy);
    add_scaled(s, complex_number<L, C>(a, x, 0, copy), load_vector<K, C>(a.p, x, copy));
    add_scaled(s, omega, r);
    add_scaled(r, cx<T>{-omega.re, -omega.im}, load_vector<K, C>(a.t, x, copy));
    store_vector<C>(a.x, x, copy, s);
    store_vector<C>(a.r, x, copy, r);
    cx<T> z = inner(load_vector<K, C>(a.shadow, x, copy), r);
    add_sum<C>(x, sum, 0, copy, norm2(r));
    add_sum<C>(x, sum, 1, copy, z.re);
    add_sum<C>(x, sum, 2, copy, z.im);
  }
}
// p = r + beta (p - omega v)
template <class L, int K, int C, class A> FN void turn_direction(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> p = load_vector<K, C>(a.p, x, copy), r = load_vector<K, C>(a.r, x, copy);
    cx<T> omega = complex_number<L, C>(a, x, 2, copy);
    add_scaled(p, cx<T>{-omega.re, -omega.im}, load_vector<K, C>(a.v, x, copy));
    add_scaled(r, complex_number<L, C>(a, x, 4, copy), p);
    store_vector<C>(a.p, x, copy, r);
  }
}

// Vectors in the buffers of one field `basis`, of which `count` are in use
template <class L> FN View<L> buffer_of(const View<L>& f, i64 k) { return {f.data + k * f.stride, f.stride}; }

// Buffer `number` = number[0] in
template <class L, int K, int C, class A> FN void keep(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> r = zero_vector<T, K>();
    add_scaled(r, solver_number<L, C>(a, x, 0, copy), load_vector<K, C>(a.in, x, copy));
    store_vector<C>(buffer_of(a.basis, a.number), x, copy, r);
  }
}
// Sums Re, Im of <v_j, in> for the vectors in use; those of the others stay zero
template <class L, int K, int C, class A, class S> FN void project_on_all(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> r = load_vector<K, C>(a.in, x, copy);
    ROLLED for (int j = 0; j < (int)a.count; j++) {
      cx<T> z = inner(load_vector<K, C>(buffer_of(a.basis, j), x, copy), r);
      add_sum<C>(x, sum, 2 * j, copy, z.re);
      add_sum<C>(x, sum, 2 * j + 1, copy, z.im);
    }
  }
}
// out += sum_j z_j v_j over the vectors in use, the complex number z_j from number 2 j on; the sum |out|^2
template <class L, int K, int C, class A, class S> FN void accumulate_all(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> r = load_vector<K, C>(a.out, x, copy);
    ROLLED for (int j = 0; j < (int)a.count; j++)
      add_scaled(r, complex_number<L, C>(a, x, 2 * j, copy), load_vector<K, C>(buffer_of(a.basis, j), x, copy));
    store_vector<C>(a.out, x, copy, r);
    add_sum<C>(x, sum, 0, copy, norm2(r));
  }
}

// Copy i of out = sum_j z_ij copy j of in, with the table z of C x C complex numbers
template <class L, int K, int C, class A> FN void mix_copies(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  ROLLED for (int k = 0; k < K; k++) {
    cx<T> e[C];
    ROLLED for (int j = 0; j < C; j++) {
      const typename L::R* p = address_of_copy<2 * K, C>(a.in, x.item, j);
      e[j] = {number_at<L>(p, 2 * k), number_at<L>(p, 2 * k + 1)};
    }
    ROLLED for (int i = 0; i < C; i++) {
      cx<T> r = {T{}, T{}};
      ROLLED for (int j = 0; j < C; j++) {
        const double* z = a.z + 2 * (i * C + j);
        mac(r, cx<T>{constant<T>(z[0]), constant<T>(z[1])}, e[j]);
      }
      typename L::R* q = address_of_copy<2 * K, C>(a.out, x.item, i);
      store_number<L>(q, 2 * k, x, r.re);
      store_number<L>(q, 2 * k + 1, x, r.im);
    }
  }
}

// Several vectors at once: the arguments v0, v1, .. by number
template <int J, class A> FN const auto& vector_number(const A& a) {
  if constexpr (J == 0) return a.v0;
  else if constexpr (J == 1) return a.v1;
  else if constexpr (J == 2) return a.v2;
  else if constexpr (J == 3) return a.v3;
  else if constexpr (J == 4) return a.v4;
  else if constexpr (J == 5) return a.v5;
  else if constexpr (J == 6) return a.v6;
  else if constexpr (J == 7) return a.v7;
  else return a.v8;
}
template <int J, int K, int C, int M, class L, class A> FN void component_of_all(cx<typename L::T> (&e)[M], const Site<L>& x, const A& a, int copy, int k) {
  const typename L::R* p = address_of_copy<2 * K, C>(vector_number<J>(a), x.item, copy);
  e[J] = {number_at<L>(p, 2 * k), number_at<L>(p, 2 * k + 1)};
  if constexpr (J + 1 < M) component_of_all<J + 1, K, C, M>(e, x, a, copy, k);
}
// Sums Re, Im of <v_i, v_j> for 1 <= i < M and 0 <= j <= i, row by row
template <class L, int K, int C, int M, class A, class S> FN void gram(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    cx<T> g[M][M], e[M];
    UNROLL for (int i = 1; i < M; i++) UNROLL for (int j = 0; j <= i; j++) g[i][j] = {T{}, T{}};
    ROLLED for (int k = 0; k < K; k++) {
      component_of_all<0, K, C, M>(e, x, a, copy, k);
      UNROLL for (int i = 1; i < M; i++) UNROLL for (int j = 0; j <= i; j++) mac_conj(g[i][j], e[j], e[i]);
    }
    int name = 0;
    UNROLL for (int i = 1; i < M; i++) UNROLL for (int j = 0; j <= i; j++) {
      add_sum<C>(x, sum, name++, copy, g[i][j].re);
      add_sum<C>(x, sum, name++, copy, g[i][j].im);
    }
  }
}
// out = sum_j z_j v_j, the complex numbers z_j from number `first` on
template <class L, int K, int C, int M, class A> FN void superpose(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    cx<T> z[M], e[M];
    UNROLL for (int j = 0; j < M; j++) z[j] = complex_number<L, C>(a, x, (int)a.first + 2 * j, copy);
    typename L::R* q = address_of_copy<2 * K, C>(a.out, x.item, copy);
    ROLLED for (int k = 0; k < K; k++) {
      component_of_all<0, K, C, M>(e, x, a, copy, k);
      cx<T> r = mul(z[0], e[0]);
      UNROLL for (int j = 1; j < M; j++) mac(r, z[j], e[j]);
      store_number<L>(q, 2 * k, x, r.re);
      store_number<L>(q, 2 * k + 1, x, r.im);
    }
  }
}

// Copies of one field, among each other: sums Re, Im of <v_c, v_d> for d <= c, row by row
template <class L, int K, int C, class A, class S> FN void gram_of_copies(const Site<L>& x, const A& a, S& sum) {
  int name = 0;
  ROLLED for (int c = 0; c < C; c++) {
    vector<typename L::T, K> v = load_vector<K, C>(a.in, x, c);
    ROLLED for (int d = 0; d <= c; d++) {
      cx<typename L::T> z = inner(v, load_vector<K, C>(a.in, x, d));
      add_sum<1>(x, sum, name++, 0, z.re);
      add_sum<1>(x, sum, name++, 0, z.im);
    }
  }
}
