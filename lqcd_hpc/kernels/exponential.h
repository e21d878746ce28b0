// exp(i H) for Hermitian H in the algebra, its product with links, and the projection back to the group.
#pragma once
#include "math.h"
#include "su.h"

// 1/n!
FN double inverse_factorial(int n) {
  constexpr double f[24] = {1., 1., 1 / 2., 1 / 6., 1 / 24., 1 / 120., 1 / 720., 1 / 5040., 1 / 40320., 1 / 362880., 1 / 3628800.,
    1 / 39916800., 1 / 479001600., 1 / 6227020800., 1 / 87178291200., 1 / 1307674368000., 1 / 20922789888000., 1 / 355687428096000.,
    1 / 6402373705728000., 1 / 121645100408832000., 1 / 2432902008176640000., 1 / 51090942171709440000.,
    1 / 1124000727777607680000., 1 / 25852016738884976640000.};
  return f[n];
}

// How often each lane must halve its matrix to bring the norm below 1, and the factor 2^-n.
template <class T> struct Halving { T count, factor; };
template <class T> FN Halving<T> halvings(T norm_squared) {
  Halving<T> h = {T{}, constant<T>(1)};
  auto large = norm_squared > constant<T>(1);
  for (int k = 0; k < 60 && any(large); k++) {
    h.count = select(large, h.count + constant<T>(1), h.count);
    h.factor = select(large, h.factor * constant<T>(0.5), h.factor);
    norm_squared = select(large, norm_squared * constant<T>(0.25), norm_squared);
    large = norm_squared > constant<T>(1);
  }
  return h;
}
template <class T, int N> FN void square_back(matrix<T, N>& u, T count) {
  for (int k = 0; k < 60; k++) {
    auto more = count > constant<T>(k);
    if (!any(more)) break;
    matrix<T, N> v = mul(u, u);
    UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) {
      u.e[i][j].re = select(more, v.e[i][j].re, u.e[i][j].re);
      u.e[i][j].im = select(more, v.e[i][j].im, u.e[i][j].im);
    }
  }
}

// tr H^2 = p^a p^a / 2 for SU(N)
template <class T, int NG> FN T half_square(const T (&p)[NG]) {
  T s = p[0] * p[0];
  UNROLL for (int k = 1; k < NG; k++) s = madd(p[k], p[k], s);
  return s * constant<T>(0.5);
}

// U(1): exp(i p)
template <class T> FN void exp_algebra(matrix<T, 1>& u, const T (&p)[1]) {
  auto angle = to_double(p[0]);
  decltype(angle) s, c;
  sincos(angle, s, c);
  from_double(u.e[0][0].re, c);
  from_double(u.e[0][0].im, s);
}
// SU(2): cos(r) + i (p.sigma/2) sin(r)/r, r = |p|/2
template <class T> FN void exp_algebra(matrix<T, 2>& u, const T (&p)[3]) {
  auto q2 = to_double(half_square(p)) * 0.5, r = root(q2);
  decltype(r) s, c;
  sincos(r, s, c);
  auto small = q2 < constant<decltype(r)>(1e-8);  // sin(r)/r = 1 - r^2/6 + r^4/120 to rounding
  auto series = madd(q2, madd(q2, constant<decltype(r)>(1 / 120.), constant<decltype(r)>(-1 / 6.)), constant<decltype(r)>(1));
  auto ratio = select(small, series, s / select(small, constant<decltype(r)>(1), r)) * constant<decltype(r)>(0.5);
  T f, cosine;
  from_double(f, ratio);
  from_double(cosine, c);
  u.e[0][0] = {cosine, f * p[2]};
  u.e[1][1] = {cosine, -(f * p[2])};
  u.e[0][1] = {f * p[1], f * p[0]};
  u.e[1][0] = {-(f * p[1]), f * p[0]};
}
// SU(3): Taylor series summed with the characteristic equation H^3 = t H + d, t = tr H^2/2, d = det H:
// exp(i H) = q0 + q1 H + q2 H^2, Horner's rule acting on (q0, q1, q2)
template <class T> FN void exp_algebra(matrix<T, 3>& u, const T (&p_in)[8]) {
  T p[8];
  Halving<T> h = halvings(half_square(p_in));
  UNROLL for (int k = 0; k < 8; k++) p[k] = p_in[k] * h.factor;
  matrix<T, 3> m = algebra_matrix<T, 3>(p), m2 = mul(m, m);
  T t = half_square(p) * constant<T>(0.5);
  T d = m.e[0][0].re * (m.e[1][1].re * m.e[2][2].re - norm2(m.e[1][2])) - m.e[1][1].re * norm2(m.e[0][2]) -
        m.e[2][2].re * norm2(m.e[0][1]);
  cx<T> loop = mul(mul(m.e[0][1], m.e[1][2]), m.e[2][0]);
  d = d + (loop.re + loop.re);
  constexpr int ORDER = sizeof(typename number_of<T>::R) == 8 ? 17 : 10;
  // q(n) = i^n/n! + H q(n+1): the powers of i are kept apart, q_k = i^k times a real or imaginary series
  cx<T> q0 = {constant<T>(inverse_factorial(ORDER)), T{}}, q1 = {T{}, T{}}, q2 = {T{}, T{}};
  UNROLL for (int n = ORDER - 1; n >= 0; n--) {  // multiply by i H, add 1/n!
    cx<T> a0 = {-(d * q2.im), d * q2.re};
    cx<T> a1 = {nmadd(t, q2.im, -q0.im), madd(t, q2.re, q0.re)};
    cx<T> a2 = {-q1.im, q1.re};
    a0.re = a0.re + constant<T>(inverse_factorial(n));
    q0 = a0; q1 = a1; q2 = a2;
  }
  UNROLL for (int i = 0; i < 3; i++) UNROLL for (int j = 0; j < 3; j++) {
    cx<T> z = mul(q1, m.e[i][j]);
    mac(z, q2, m2.e[i][j]);
    if (i == j) z = z + q0;
    u.e[i][j] = z;
  }
  square_back(u, h.count);
}
// SU(N): Taylor series by Horner's rule
template <class T, int N> FN void exp_algebra(matrix<T, N>& u, const T (&p_in)[N * N - 1]) {
  T p[N * N - 1];
  Halving<T> h = halvings(half_square(p_in));
  UNROLL for (int k = 0; k < N * N - 1; k++) p[k] = p_in[k] * h.factor;
  matrix<T, N> m = algebra_matrix<T, N>(p);
  u = unit_matrix<T, N>();
  ROLLED for (int n = 18; n >= 1; n--) {  // u <- 1 + (i H/n) u
    matrix<T, N> v = mul(m, u);
    T f = constant<T>(1) / constant<T>(n);
    UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) u.e[i][j] = {-(f * v.e[i][j].im), f * v.e[i][j].re};
    UNROLL for (int i = 0; i < N; i++) u.e[i][i].re = u.e[i][i].re + constant<T>(1);
  }
  square_back(u, h.count);
}

// U_mu <- exp(i eps P_mu) U_mu
template <class L, int N, int ND, class A> FN void exponential_update(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  constexpr int NG = generators<N>::count;
  T eps = constant<T>(a.eps);
  ROLLED for (int mu = 0; mu < ND; mu++) {
    T p[NG];
    load<NG>(p, a.P, mu, x, here(x));
    UNROLL for (int k = 0; k < NG; k++) p[k] = eps * p[k];
    matrix<T, N> e;
    exp_algebra(e, p);
    store_matrix<N>(a.U, mu, x, mul(e, load_matrix<N>(a.U, mu, x, here(x))));
  }
}

// The determinant by elimination without pivots is unsafe; N <= 6 expands in minors of the first column instead.
template <class T> FN cx<T> determinant(const matrix<T, 1>& a) { return a.e[0][0]; }
template <class T, int N> FN cx<T> determinant(const matrix<T, N>& a) {
  cx<T> r = {T{}, T{}};
  ROLLED for (int c = 0; c < N; c++) {
    matrix<T, N - 1> minor;
    for (int i = 1; i < N; i++) for (int j = 0; j < N - 1; j++) minor.e[i - 1][j] = a.e[i][j < c ? j : j + 1];
    cx<T> term = mul(a.e[0][c], determinant(minor));
    r = c & 1 ? r - term : r + term;
  }
  return r;
}

// Gram-Schmidt on the rows; the last row is then turned so that det U = 1 (SU(N); U(1) is only normalised).
template <class T, int N> FN void gram_schmidt(matrix<T, N>& u) {
  for (int i = 0; i < N; i++) {
    for (int k = 0; k < i; k++) {
      cx<T> z = {T{}, T{}};
      for (int j = 0; j < N; j++) mac_conj(z, u.e[i][j], u.e[k][j]);
      for (int j = 0; j < N; j++) u.e[i][j] = u.e[i][j] - mul(z, u.e[k][j]);
    }
    T s = T{};
    for (int j = 0; j < N; j++) s = s + norm2(u.e[i][j]);
    T f = constant<T>(1) / root(select(s > T{}, s, constant<T>(1)));
    for (int j = 0; j < N; j++) u.e[i][j] = scale(f, u.e[i][j]);
  }
  if constexpr (N > 1) {
    cx<T> d = determinant(u);
    for (int j = 0; j < N; j++) u.e[N - 1][j] = mul(conj(d), u.e[N - 1][j]);
  }
}

// Largest squared distance |U - U'|^2 = sum_ij of the projection is what `drift` sums; links that are zero (open ends) stay zero.
template <class L, int N, int ND, class A, class S> FN void reunitarise(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  T drift = T{};
  ROLLED for (int mu = 0; mu < ND; mu++) {
    matrix<T, N> u = load_matrix<N>(a.U, mu, x, here(x)), v = u;
    gram_schmidt(v);
    for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) drift = drift + norm2(u.e[i][j] - v.e[i][j]);
    store_matrix<N>(a.U, mu, x, v);
  }
  sum.add(x, 0, drift);
}
