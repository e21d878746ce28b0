// Heatbath and over-relaxation of one link given its staple S (the weight is exp(beta/N Re tr U S)).
// SU(N): Cabibbo and Marinari (1982), all SU(2) subgroups; SU(2): Creutz (1980), Kennedy and Pendleton (1985);
// U(1): the von Mises distribution by Best and Fisher (1979).
#pragma once
#include "gauge.h"
#include "random.h"

static constexpr int TRIALS = 256;        // rejection trials of one subgroup; each has its own random numbers
static constexpr int AUTOMATIC = 0, CREUTZ = 1, KENNEDY_PENDLETON = 2;

// a0 with density sqrt(1 - a0^2) exp(alpha a0), and the vector part uniform on its sphere
template <class L> FN void su2_heatbath(typename L::D (&a)[4], typename L::D alpha, const RandomKey& key, const Site<L>& x,
                                        int direction, int subgroup, i64 method) {
  typedef typename L::D D;
  D one = constant<D>(1), a0 = one, u, v, s, t;
  alpha = select(alpha < constant<D>(1e-6), constant<D>(1e-6), alpha);  // a link without a staple: flat to 1e-6
  // both sample the same density; each is used only where its acceptance is not small
  auto small = alpha < constant<D>(method == CREUTZ ? 30 : method == KENNEDY_PENDLETON ? 0.5 : 1.7);
  auto open = alpha > D{};  // all lanes
  D inverse = one / alpha, deficit = one - exponential(constant<D>(-2) * alpha);
  ROLLED for (int trial = 0; trial < TRIALS / 2 - 1 && any(open); trial++) {
    u32 draw = subgroup * TRIALS + 2 * trial;
    uniform_pair(key, x, direction, draw, u, v);
    D proposal, bound, test;
    if (any(negate(small))) {  // Kennedy-Pendleton: a0 = 1 - delta, accept if t^2 <= 1 - delta/2
      uniform_pair(key, x, direction, draw + 1, s, t);
      D sine, cosine;
      sincos_turns(v, sine, cosine);
      D delta = -(madd(cosine * cosine, logarithm(s), logarithm(u)) * inverse);
      proposal = one - delta;
      bound = nmadd(delta, constant<D>(0.5), one);
      test = t * t;
    }
    if (any(small)) {  // Creutz: exp(alpha a0) exactly, accept with probability sqrt(1 - a0^2)
      D p = madd(logarithm(nmadd(u, deficit, one)), inverse, one);
      proposal = select(small, p, proposal);
      bound = select(small, nmadd(p, p, one), bound);
      test = select(small, v * v, test);
    }
    auto accept = both(open, test <= bound);
    a0 = select(accept, proposal, a0);
    open = both(open, negate(accept));
  }
  uniform_pair(key, x, direction, subgroup * TRIALS + TRIALS - 1, u, v);
  D r2 = nmadd(a0, a0, one), z = madd(constant<D>(2), u, constant<D>(-1));
  D radius = root(select(r2 > D{}, r2, D{})), w2 = nmadd(z, z, one);
  D w = radius * root(select(w2 > D{}, w2, D{}));
  sincos_turns(v, s, t);
  a[0] = a0; a[1] = w * t; a[2] = w * s; a[3] = radius * z;
}

// The SU(2) part k (w0 + i w.sigma) of rows and columns i, j of W = U S, and its length k
template <class T, int N> FN T su2_part(T (&w)[4], const matrix<T, N>& m, int i, int j) {
  T half = constant<T>(0.5);
  w[0] = (m.e[i][i].re + m.e[j][j].re) * half;
  w[1] = (m.e[i][j].im + m.e[j][i].im) * half;
  w[2] = (m.e[i][j].re - m.e[j][i].re) * half;
  w[3] = (m.e[i][i].im - m.e[j][j].im) * half;
  return root(madd(w[0], w[0], madd(w[1], w[1], madd(w[2], w[2], w[3] * w[3]))));
}
// Rows i, j of m <- (g0 + i g.sigma) times them
template <class T, int N> FN void rotate_rows(matrix<T, N>& m, const T (&g)[4], int i, int j) {
  cx<T> a = {g[0], g[3]}, b = {g[2], g[1]};
  UNROLL for (int k = 0; k < N; k++) {
    cx<T> p = m.e[i][k], q = m.e[j][k];
    cx<T> r = mul(a, p);
    mac(r, b, q);
    cx<T> s = mul_conj(q, a);
    mac(s, {-b.re, b.im}, p);
    m.e[i][k] = r;
    m.e[j][k] = s;
  }
}
// a times the inverse of the unit quaternion w/k; the identity where k = 0
template <class T> FN void over_unit(T (&g)[4], const T (&a)[4], const T (&w)[4], T k) {
  T f = constant<T>(1) / select(k > T{}, k, constant<T>(1));
  T c[4] = {select(k > T{}, w[0] * f, constant<T>(1)), -(w[1] * f), -(w[2] * f), -(w[3] * f)};
  g[0] = a[0] * c[0] - a[1] * c[1] - a[2] * c[2] - a[3] * c[3];
  g[1] = a[0] * c[1] + a[1] * c[0] - (a[2] * c[3] - a[3] * c[2]);
  g[2] = a[0] * c[2] + a[2] * c[0] - (a[3] * c[1] - a[1] * c[3]);
  g[3] = a[0] * c[3] + a[3] * c[0] - (a[1] * c[2] - a[2] * c[1]);
}

template <class L, int N> FN void heatbath_link(matrix<typename L::T, N>& u, const matrix<typename L::T, N>& s, double beta,
                                                const RandomKey& key, const Site<L>& x, int mu, i64 method) {
  typedef typename L::T T;
  typedef typename L::D D;
  matrix<T, N> w = mul(u, s);
  T factor = constant<T>(2 * beta / N);
  int subgroup = 0;
  ROLLED for (int i = 0; i < N; i++)
    ROLLED for (int j = i + 1; j < N; j++) {
      T q[4], a[4], g[4], k = su2_part(q, w, i, j);
      D fresh[4];
      su2_heatbath(fresh, to_double(factor * k), key, x, mu, subgroup++, method);
      for (int c = 0; c < 4; c++) from_double(a[c], fresh[c]);
      over_unit(g, a, q, k);
      rotate_rows(u, g, i, j);
      rotate_rows(w, g, i, j);
    }
}
// U(1): density exp(kappa cos t) of the angle t of U S, kappa = beta |S|
template <class L> FN void heatbath_phase(matrix<typename L::T, 1>& u, const matrix<typename L::T, 1>& s, double beta,
                                         const RandomKey& key, const Site<L>& x, int mu) {
  typedef typename L::T T;
  typedef typename L::D D;
  T size = root(norm2(s.e[0][0]));
  D one = constant<D>(1), kappa = to_double(size) * constant<D>(beta);
  kappa = select(kappa < constant<D>(1e-12), constant<D>(1e-12), kappa);
  D h = root(madd(constant<D>(4) * kappa, kappa, one)), tau = one + h;
  D rho = constant<D>(2) * kappa * tau / ((h + one) * (tau + root(tau + tau)));
  D r = (one + rho * rho) / (rho + rho), cosine = one, sine = D{}, p, q, v, dummy, z;
  auto open = kappa > D{};
  ROLLED for (int trial = 0; trial < TRIALS && any(open); trial += 2) {
    uniform_pair(key, x, mu, trial, p, q);
    uniform_pair(key, x, mu, trial + 1, v, dummy);
    sincos_turns(p * constant<D>(0.5), dummy, z);
    D f = madd(r, z, one) / (r + z), c = kappa * (r - f);
    D miss = (r - one) * (one - z) / (r + z);  // 1 - f without cancellation
    D squared = miss * (one + f);
    auto accept = both(open, either(c * (constant<D>(2) - c) > q, logarithm(c / q) + one >= c));
    D size_of_sine = root(select(squared > D{}, squared, D{}));
    cosine = select(accept, f, cosine);
    sine = select(accept, select(v < constant<D>(0.5), -size_of_sine, size_of_sine), sine);
    open = both(open, negate(accept));
  }
  cx<T> e;
  from_double(e.re, cosine);
  from_double(e.im, sine);
  cx<T> turned = mul_conj(e, s.e[0][0]);
  T f = constant<T>(1) / select(size > T{}, size, constant<T>(1));
  e = {select(size > T{}, turned.re * f, e.re), select(size > T{}, turned.im * f, e.im)};
  auto present = norm2(u.e[0][0]) > T{};  // links beyond an open end are zero and stay so
  u.e[0][0] = {select(present, e.re, T{}), select(present, e.im, T{})};
}

// Microcanonical: a reflection a0 -> a0 about the staple in every SU(2) subgroup (w -> w^-2 applied), U -> S*^2 U* for U(1)
template <class L, int N> FN void reflect_link(matrix<typename L::T, N>& u, const matrix<typename L::T, N>& s) {
  typedef typename L::T T;
  matrix<T, N> w = mul(u, s);
  ROLLED for (int i = 0; i < N; i++)
    ROLLED for (int j = i + 1; j < N; j++) {
      T q[4], k = su2_part(q, w, i, j);
      T f = constant<T>(1) / select(k > T{}, k, constant<T>(1));
      T c[4] = {select(k > T{}, q[0] * f, constant<T>(1)), -(q[1] * f), -(q[2] * f), -(q[3] * f)}, g[4];
      g[0] = c[0] * c[0] - c[1] * c[1] - c[2] * c[2] - c[3] * c[3];  // c^2: w -> w^dag
      for (int n = 1; n < 4; n++) g[n] = (c[0] + c[0]) * c[n];
      rotate_rows(u, g, i, j);
      rotate_rows(w, g, i, j);
    }
}
template <class L> FN void reflect_phase(matrix<typename L::T, 1>& u, const matrix<typename L::T, 1>& s) {
  typedef typename L::T T;
  T n = norm2(s.e[0][0]), f = constant<T>(1) / select(n > T{}, n, constant<T>(1));
  cx<T> z = mul(s.e[0][0], s.e[0][0]);
  cx<T> r = conj(mul(u.e[0][0], z));
  u.e[0][0] = {select(n > T{}, r.re * f, u.e[0][0].re), select(n > T{}, r.im * f, u.e[0][0].im)};
}

template <class L, int N> FN void heatbath(matrix<typename L::T, N>& u, const matrix<typename L::T, N>& s, double beta,
                                           const RandomKey& key, const Site<L>& x, int mu, i64 method) {
  if constexpr (N == 1) heatbath_phase<L>(u, s, beta, key, x, mu);
  else heatbath_link<L>(u, s, beta, key, x, mu, method);
}
template <class L, int N> FN void reflect(matrix<typename L::T, N>& u, const matrix<typename L::T, N>& s) {
  if constexpr (N == 1) reflect_phase<L>(u, s);
  else reflect_link<L>(u, s);
}

// Staples from the plaquettes around the link, or from a field that a path kernel has filled
template <class L, int N, int ND, int MU, class A> FN void plaquette_heatbath(const Site<L>& x, const A& a) {
  matrix<typename L::T, N> s, u = load_matrix<N>(a.U, MU, x, here(x));
  plaquette_staple<N, ND>(s, x, a.U, MU);
  heatbath<L>(u, s, a.beta, a.key, x, MU, a.method);
  store_matrix<N>(a.U, MU, x, u);
}
template <class L, int N, int ND, int MU, class A> FN void plaquette_overrelaxation(const Site<L>& x, const A& a) {
  matrix<typename L::T, N> s, u = load_matrix<N>(a.U, MU, x, here(x));
  plaquette_staple<N, ND>(s, x, a.U, MU);
  reflect<L>(u, s);
  store_matrix<N>(a.U, MU, x, u);
}
template <class L, int N, int ND, int MU, class A> FN void staple_heatbath(const Site<L>& x, const A& a) {
  matrix<typename L::T, N> u = load_matrix<N>(a.U, MU, x, here(x));
  heatbath<L>(u, load_matrix<N>(a.staple, 0, x, here(x)), a.beta, a.key, x, MU, a.method);
  store_matrix<N>(a.U, MU, x, u);
}
template <class L, int N, int ND, int MU, class A> FN void staple_overrelaxation(const Site<L>& x, const A& a) {
  matrix<typename L::T, N> u = load_matrix<N>(a.U, MU, x, here(x));
  reflect<L>(u, load_matrix<N>(a.staple, 0, x, here(x)));
  store_matrix<N>(a.U, MU, x, u);
}
