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
