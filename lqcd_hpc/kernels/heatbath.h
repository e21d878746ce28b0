// Heatbath and over-relaxation of one link given its staple S (the weight is exp(beta/N Re tr U S)).
// SU(N): Cabibbo and Marinari (1982), all SU(2) subgroups; SU(2): Creutz (1980), Kennedy and Pendleton (1985);
// U(1): the von Mises distribution by Best and Fisher (1979).
#pragma once
#include "gauge.h"
#include "random.h"

static constexpr int TRIALS = 256;        // rejection trials of one subgroup; each has its own random numbers
static constexpr int AUTOMATIC = 0, CREUTZ = 1, KENNEDY_PENDLETON = 2;

// Random numbers of the first trial in K subgroups, drawn together: they do not depend on the links. With a Kennedy-Pendleton
// proposal a0 = 1 - decay/alpha, accepted if test <= 1 - decay/(2 alpha), and a direction z, (cosine, sine).
template <class D, int K> struct FirstDraws { D u[K], v[K], decay[K], test[K], z[K], sine[K], cosine[K]; };

template <class D> FN void kennedy_pendleton(D u, D v, D s, D t, D& decay, D& test) {
  D sine, cosine;
  sincos_turns(v, sine, cosine);
  decay = -madd(cosine * cosine, logarithm(s), logarithm(u));
  test = t * t;
}
template <class L, int K> FN void draw_first(FirstDraws<typename L::D, K>& f, const RandomKey& key, const Site<L>& x, int direction) {
  typedef typename L::D D;
  D s[K], t[K], p[K], q[K];
  for (int k = 0; k < K; k++) uniform_pair(key, x, direction, k * TRIALS, f.u[k], f.v[k]);
  for (int k = 0; k < K; k++) uniform_pair(key, x, direction, k * TRIALS + 1, s[k], t[k]);
  for (int k = 0; k < K; k++) uniform_pair(key, x, direction, k * TRIALS + TRIALS - 1, p[k], q[k]);
  for (int k = 0; k < K; k++) kennedy_pendleton(f.u[k], f.v[k], s[k], t[k], f.decay[k], f.test[k]);
  for (int k = 0; k < K; k++) {
    f.z[k] = madd(constant<D>(2), p[k], constant<D>(-1));
    sincos_turns(q[k], f.sine[k], f.cosine[k]);
  }
}

// Trials of the lanes that are still open: Kennedy-Pendleton from the second one on, Creutz (where alpha is small) from the first.
template <class L, class M, class D = typename L::D>
NOINLINE void su2_trials(D& a0, M open, M small, D alpha, D inverse, D u, D v, const RandomKey& key, const Site<L>& x, int direction,
                         int subgroup) {
  D one = constant<D>(1), s, t, deficit = one - exponential(constant<D>(-2) * alpha);
  ROLLED for (int trial = 0; trial < TRIALS / 2 - 1 && any(open); trial++) {
    u32 draw = subgroup * TRIALS + 2 * trial;
    if (trial) uniform_pair(key, x, direction, draw, u, v);
    auto accept = both(open, negate(open));
    if (trial && any(both(open, negate(small)))) {
      D decay, test;
      uniform_pair(key, x, direction, draw + 1, s, t);
      kennedy_pendleton(u, v, s, t, decay, test);
      D p = nmadd(decay, inverse, one);
      auto good = both(both(open, negate(small)), test <= madd(p, constant<D>(0.5), constant<D>(0.5)));
      a0 = select(good, p, a0);
      accept = either(accept, good);
    }
    if (any(both(open, small))) {  // exp(alpha a0) exactly, accepted with probability sqrt(1 - a0^2)
      D p = madd(logarithm(nmadd(u, deficit, one)), inverse, one);
      auto good = both(both(open, small), v * v <= nmadd(p, p, one));
      a0 = select(good, p, a0);
      accept = either(accept, good);
    }
    open = both(open, negate(accept));
  }
}

// a0 with density sqrt(1 - a0^2) exp(alpha a0), and the vector part uniform on its sphere
template <class L, int K> FN void su2_heatbath(typename L::D (&a)[4], typename L::D alpha, const FirstDraws<typename L::D, K>& first,
                                               const RandomKey& key, const Site<L>& x, int direction, int subgroup, i64 method) {
  typedef typename L::D D;
  D one = constant<D>(1);
  alpha = select(alpha < constant<D>(1e-6), constant<D>(1e-6), alpha);  // a link without a staple: flat to 1e-6
  // both sample the same density; each is used only where its acceptance is not small
  auto small = alpha < constant<D>(method == CREUTZ ? 30 : method == KENNEDY_PENDLETON ? 0.5 : 1.7);
  D inverse = one / alpha, a0 = nmadd(first.decay[subgroup], inverse, one);
  auto open = either(small, first.test[subgroup] > madd(a0, constant<D>(0.5), constant<D>(0.5)));
  if (UNLIKELY(any(open))) su2_trials(a0, open, small, alpha, inverse, first.u[subgroup], first.v[subgroup], key, x, direction, subgroup);
  D r2 = nmadd(a0, a0, one), w2 = nmadd(first.z[subgroup], first.z[subgroup], one);
  D radius = root(select(r2 > D{}, r2, D{})), w = radius * root(select(w2 > D{}, w2, D{}));
  a[0] = a0; a[1] = w * first.cosine[subgroup]; a[2] = w * first.sine[subgroup]; a[3] = radius * first.z[subgroup];
}

// The SU(2) part w0 + i w.sigma of rows and columns i, j of W = U S
template <class T, int N> FN void su2_part(T (&w)[4], const matrix<T, N>& m, int i, int j) {
  T half = constant<T>(0.5);
  w[0] = (m.e[i][i].re + m.e[j][j].re) * half;
  w[1] = (m.e[i][j].im + m.e[j][i].im) * half;
  w[2] = (m.e[i][j].re - m.e[j][i].re) * half;
  w[3] = (m.e[i][i].im - m.e[j][j].im) * half;
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

template <class L, int N> FN void heatbath_subgroup(matrix<typename L::T, N>& u, matrix<typename L::T, N>& w, double beta, int i, int j,
                                                    int subgroup, const FirstDraws<typename L::D, N * (N - 1) / 2>& first,
                                                    const RandomKey& key, const Site<L>& x, int mu, i64 method) {
  typedef typename L::T T;
  T q[4], a[4], g[4];
  su2_part(q, w, i, j);
  T k = root(madd(q[0], q[0], madd(q[1], q[1], madd(q[2], q[2], q[3] * q[3]))));
  typename L::D fresh[4];
  su2_heatbath(fresh, to_double(constant<T>(2 * beta / N) * k), first, key, x, mu, subgroup, method);
  UNROLL for (int c = 0; c < 4; c++) from_double(a[c], fresh[c]);
  over_unit(g, a, q, k);
  rotate_rows(u, g, i, j);
  rotate_rows(w, g, i, j);
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
  D r = (one + rho * rho) / (rho + rho), cosine = one, sine = D{}, p, q, dummy, z;
  auto open = kappa > D{};
  ROLLED for (int trial = 0; trial < TRIALS && any(open); trial++) {
    typename L::U word, other;
    philox(key, x, mu, trial, word, other);
    p = uniform(word);
    q = uniform(other);
    sincos_turns(p * constant<D>(0.5), dummy, z);
    D f = madd(r, z, one) / (r + z), c = kappa * (r - f);
    D miss = (r - one) * (one - z) / (r + z);  // 1 - f without cancellation
    D squared = miss * (one + f);
    auto accept = both(open, either(c * (constant<D>(2) - c) > q, logarithm(c / q) + one >= c));
    D size_of_sine = root(select(squared > D{}, squared, D{}));
    cosine = select(accept, f, cosine);
    sine = select(accept, select((word & 1ull) != 0ull, -size_of_sine, size_of_sine), sine);
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
template <class L, int N> FN void reflect_subgroup(matrix<typename L::T, N>& u, matrix<typename L::T, N>& w, int i, int j) {
  typedef typename L::T T;
  T q[4];
  su2_part(q, w, i, j);
  T n = madd(q[0], q[0], madd(q[1], q[1], madd(q[2], q[2], q[3] * q[3])));
  T f = constant<T>(1) / select(n > T{}, n, constant<T>(1)), twice = (q[0] + q[0]) * f;
  T g[4] = {select(n > T{}, madd(twice, q[0], constant<T>(-1)), constant<T>(1)), -(twice * q[1]), -(twice * q[2]), -(twice * q[3])};
  rotate_rows(u, g, i, j);  // g = (w^dag)^2/|w|^2: w -> w^dag
  rotate_rows(w, g, i, j);
}
template <class L> FN void reflect_phase(matrix<typename L::T, 1>& u, const matrix<typename L::T, 1>& s) {
  typedef typename L::T T;
  T n = norm2(s.e[0][0]), f = constant<T>(1) / select(n > T{}, n, constant<T>(1));
  cx<T> z = mul(s.e[0][0], s.e[0][0]);
  cx<T> r = conj(mul(u.e[0][0], z));
  u.e[0][0] = {select(n > T{}, r.re * f, u.e[0][0].re), select(n > T{}, r.im * f, u.e[0][0].im)};
}

// Staples from the plaquettes around the link, or from a field that a path kernel has filled
// f(i, j, number) for all i < j: written out for the small groups, a loop for the others
template <int N, class F> FN void each_subgroup(F f) {
  if constexpr (N == 2) f(0, 1, 0);
  else if constexpr (N == 3) { f(0, 1, 0); f(0, 2, 1); f(1, 2, 2); }
  else {
    int k = 0;
    ROLLED for (int i = 0; i < N; i++) ROLLED for (int j = i + 1; j < N; j++) f(i, j, k++);
  }
}
template <class L, int N, int MU, class A> FN void heatbath(const Site<L>& x, const A& a, matrix<typename L::T, N>& u, const matrix<typename L::T, N>& s) {
  if constexpr (N == 1) heatbath_phase<L>(u, s, a.beta, a.key, x, MU);
  else {
    FirstDraws<typename L::D, N * (N - 1) / 2> first;
    draw_first(first, a.key, x, MU);
    matrix<typename L::T, N> w = mul(u, s);
    each_subgroup<N>([&](int i, int j, int k) INLINED { heatbath_subgroup<L, N>(u, w, a.beta, i, j, k, first, a.key, x, MU, a.method); });
  }
}
template <class L, int N> FN void reflect(matrix<typename L::T, N>& u, const matrix<typename L::T, N>& s) {
  if constexpr (N == 1) reflect_phase<L>(u, s);
  else {
    matrix<typename L::T, N> w = mul(u, s);
    each_subgroup<N>([&](int i, int j, int) INLINED { reflect_subgroup<L, N>(u, w, i, j); });
  }
}
template <class L, int N, int ND, int MU, class A> FN void plaquette_heatbath(const Site<L>& x, const A& a) {
  matrix<typename L::T, N> s;
  plaquette_staple<N, ND>(s, x, a.U, MU);
  matrix<typename L::T, N> u = load_matrix<N>(a.U, MU, x, here(x));
  heatbath<L, N, MU>(x, a, u, s);
  store_matrix<N>(a.U, MU, x, u);
}
template <class L, int N, int ND, int MU, class A> FN void plaquette_overrelaxation(const Site<L>& x, const A& a) {
  matrix<typename L::T, N> s;
  plaquette_staple<N, ND>(s, x, a.U, MU);
  matrix<typename L::T, N> u = load_matrix<N>(a.U, MU, x, here(x));
  reflect<L, N>(u, s);
  store_matrix<N>(a.U, MU, x, u);
}
template <class L, int N, int ND, int MU, class A> FN void staple_heatbath(const Site<L>& x, const A& a) {
  matrix<typename L::T, N> u = load_matrix<N>(a.U, MU, x, here(x));
  heatbath<L, N, MU>(x, a, u, load_matrix<N>(a.staple, 0, x, here(x)));
  store_matrix<N>(a.U, MU, x, u);
}
template <class L, int N, int ND, int MU, class A> FN void staple_overrelaxation(const Site<L>& x, const A& a) {
  matrix<typename L::T, N> u = load_matrix<N>(a.U, MU, x, here(x));
  reflect<L, N>(u, load_matrix<N>(a.staple, 0, x, here(x)));
  store_matrix<N>(a.U, MU, x, u);
}
