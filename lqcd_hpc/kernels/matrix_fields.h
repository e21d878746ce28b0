// Products, traces and exponentials of matrix fields at displaced sites: what loops are built of, and their derivatives.
// Displacement 0 belongs to the first field, 1 to the second; `adjoints` has bit 0 for the first and bit 1 for the second.
#pragma once
#include "exponential.h"

template <class T, int N> FN matrix<T, N> mul(const matrix<T, N>& a, const matrix<T, N>& b, i64 adjoints) {
  if (adjoints == 0) return mul(a, b);
  if (adjoints == 1) return adjoint_mul(a, b);
  if (adjoints == 2) return mul_adjoint(a, b);
  return adjoint(mul(b, a));
}
// out(x) = op(first(x + d0)) op(second(x + d1))
template <class L, int N, class A> FN void product(const Site<L>& x, const A& a) {
  store_matrix<N>(a.out, 0, x, mul(load_matrix<N>(a.first, 0, x, at(x, 0)), load_matrix<N>(a.second, 0, x, at(x, 1)), a.adjoints));
}
// out(x) = tr op(first(x + d0)) op(second(x + d1))
template <class L, int N, class A> FN void trace_product(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  matrix<T, N> u = load_matrix<N>(a.first, 0, x, at(x, 0)), v = load_matrix<N>(a.second, 0, x, at(x, 1));
  cx<T> z = {T{}, T{}};
  bool same = a.adjoints == 0 || a.adjoints == 3;  // tr u v, and its complex conjugate tr u^dag v^dag
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) {
    if (same) mac(z, u.e[i][j], v.e[j][i]);
    else mac_conj(z, u.e[i][j], v.e[i][j]);  // tr u v^dag, and its complex conjugate tr u^dag v
  }
  T t[2] = {z.re, a.adjoints & 1 ? -z.im : z.im};
  store(a.out, 0, x, t);
}
// out(x) = first(x + d0) op(second(x + d1)) with numbers `first`; bit 0 of `adjoints` conjugates them
template <class L, int N, class A> FN void scaled(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  matrix<T, N> m = load_matrix<N>(a.second, 0, x, at(x, 1));
  if (a.adjoints & 2) m = adjoint(m);
  T v[2];
  load(v, a.first, 0, x, at(x, 0));
  cx<T> s = {v[0], a.adjoints & 1 ? -v[1] : v[1]};
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) m.e[i][j] = mul(s, m.e[i][j]);
  store_matrix<N>(a.out, 0, x, m);
}
// The part of m in the algebra: (m - m^dag)/2 without its trace; U(1): i Im m
template <class T, int N> FN matrix<T, N> antihermitian(const matrix<T, N>& m) {
  T half = constant<T>(0.5);
  matrix<T, N> r;
  T mean = T{};
  UNROLL for (int i = 0; i < N; i++) mean = mean + m.e[i][i].im;
  mean = N == 1 ? T{} : mean * constant<T>(1.0 / N);
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++)
    r.e[i][j] = {half * (m.e[i][j].re - m.e[j][i].re), half * (m.e[i][j].im + m.e[j][i].im) - (i == j ? mean : T{})};
  return r;
}
// out = weight [first]_algebra
template <class L, int N, class A> FN void algebra_part(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  matrix<T, N> r = zero_matrix<T, N>();
  add_scaled(r, constant<T>(a.weight), antihermitian(load_matrix<N>(a.first, 0, x, here(x))));
  store_matrix<N>(a.out, 0, x, r);
}

static constexpr int SQUARINGS = 2, ORDER = 10;  // exp(X) = exp(X/4)^4, error (|X|/4)^11/11!
// e = exp(X), and with it the derivative of exp at X along `along`
template <class T, int N> FN void exponential(matrix<T, N>& e, const matrix<T, N>& X) {
  matrix<T, N> h = zero_matrix<T, N>();
  add_scaled(h, constant<T>(1.0 / (1 << SQUARINGS)), X);
  e = unit_matrix<T, N>();
  ROLLED for (int k = ORDER; k > 0; k--) {
    matrix<T, N> next = unit_matrix<T, N>();
    add_scaled(next, constant<T>(1.0 / k), mul(h, e));
    e = next;
  }
  ROLLED for (int k = 0; k < SQUARINGS; k++) e = mul(e, e);
}
template <class T, int N> FN matrix<T, N> exponential_derivative(const matrix<T, N>& X, const matrix<T, N>& along) {
  T quarter = constant<T>(1.0 / (1 << SQUARINGS));
  matrix<T, N> h = zero_matrix<T, N>(), dh = zero_matrix<T, N>(), e = unit_matrix<T, N>(), de = zero_matrix<T, N>();
  add_scaled(h, quarter, X);
  add_scaled(dh, quarter, along);
  ROLLED for (int k = ORDER; k > 0; k--) {
    matrix<T, N> next = unit_matrix<T, N>(), dnext = mul(dh, e);
    add(dnext, mul(h, de));
    de = zero_matrix<T, N>();
    add_scaled(de, constant<T>(1.0 / k), dnext);
    add_scaled(next, constant<T>(1.0 / k), mul(h, e));
    e = next;
  }
  ROLLED for (int k = 0; k < SQUARINGS; k++) {
    matrix<T, N> d = mul(de, e);
    add(d, mul(e, de));
    de = d;
    e = mul(e, e);
  }
  return de;
}
// out = exp(weight first) second
template <class L, int N, class A> FN void exponential_product(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  matrix<T, N> X = zero_matrix<T, N>(), e;
  add_scaled(X, constant<T>(a.weight), load_matrix<N>(a.first, 0, x, here(x)));
  exponential(e, X);
  store_matrix<N>(a.out, 0, x, mul(e, load_matrix<N>(a.second, 0, x, here(x))));
}
// out = gradient of Re tr third^dag exp(first) second with respect to `first`: the derivative of exp at first^dag along
// third second^dag
template <class L, int N, class A> FN void exponential_gradient(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  matrix<T, N> along = mul_adjoint(load_matrix<N>(a.third, 0, x, here(x)), load_matrix<N>(a.second, 0, x, here(x)));
  store_matrix<N>(a.out, 0, x, exponential_derivative(adjoint(load_matrix<N>(a.first, 0, x, here(x))), along));
}
