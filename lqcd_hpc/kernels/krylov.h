// The numbers of Krylov solvers, one system (copy and replica) per item: what becomes of sums between two vector updates.
// numbers[name][copy][replica]; a system that is done keeps its numbers and has steps of zero.
#pragma once
#include "exact_sum.h"

template <class L, int C, class A> struct system_numbers {
  const A& a;
  i64 system, copy, replica, sums;
  FN_MEMBER system_numbers(const Site<L>& x, const A& a_) : a(a_), system(x.item), copy(x.item / a_.replicas), replica(x.item % a_.replicas), sums(a_.sums) {}
  FN_MEMBER double& operator[](i64 name) const { return a.numbers[name * C * a.replicas + system]; }
  // Sum `name` of the kernel before, over all sites; its bins are empty afterwards
  FN_MEMBER double sum(int name) const {
    i64* row = a.bins + (replica * sums + name * C + copy) * SUM_BINS;
    double value = rounded_sum(row);
    ROLLED for (int j = 0; j < SUM_BINS; j++) row[j] = 0;
    return value;
  }
};
enum CG { ALPHA, BETA, KEEP, RESIDUAL, TARGET, COUNT, CURVATURE, NORM_P, HISTORY };

// alpha = |r|^2 / <p, A p>. Sums: <p, A p> without shift |p|^2
template <class L, int C, class A> FN void cg_alpha(const Site<L>& x, const A& a) {
  system_numbers<L, C, A> s(x, a);
  double curvature = s.sum(0);
  if (a.shift != 0) curvature = curvature + a.shift * s[NORM_P];
  for (int k = 1; k < a.sums / C; k++) s.sum(k);
  bool active = s[RESIDUAL] > s[TARGET] && s[COUNT] < a.limit;
  s[ALPHA] = active && curvature > 0 ? s[RESIDUAL] / curvature : 0;
  if (active) s[CURVATURE] = curvature;
}
// beta = |r'|^2 / |r|^2, p = r + beta p; a system that is done keeps p = 0 r + 1 p. Sums: |r'|^2
template <class L, int C, class A> FN void cg_beta(const Site<L>& x, const A& a) {
  system_numbers<L, C, A> s(x, a);
  double next = s.sum(0);
  bool active = s[ALPHA] != 0;
  s[KEEP] = active ? 1 : 0;
  s[BETA] = active ? next / s[RESIDUAL] : 1;
  if (!active) return;
  s[RESIDUAL] = next;
  s[COUNT] = s[COUNT] + 1;
  s[HISTORY + (i64)s[COUNT]] = next;
}
// |p|^2 where the operator has a shift
template <class L, int C, class A> FN void cg_norm(const Site<L>& x, const A& a) {
  system_numbers<L, C, A> s(x, a);
  s[NORM_P] = s.sum(0);
}

// Shifted systems A + sigma_k (arXiv:hep-lat/9612014): r_k = zeta_k r. Numbers from `first` on: alpha_k, zeta_k, beta_k for every k; then
// the steps of the iteration before (alpha, beta); then sigma_k, zeta_k, the zeta_k before, and the target of |r_k|^2 for every k
template <class L, int C, class A> FN void cg_shifts(const Site<L>& x, const A& a) {
  system_numbers<L, C, A> s(x, a);
  double alpha = s[ALPHA], beta = s[BETA];
  i64 steps = a.first + 3 * a.shifts;
  double alpha_before = s[steps], beta_before = s[steps + 1];
  for (int k = 0; k < a.shifts; k++) {
    i64 use = a.first + 3 * k, own = steps + 2 + 4 * k;
    double sigma = s[own], zeta = s[own + 1], zeta_before = s[own + 2];
    bool active = alpha != 0 && zeta != 0;
    if (!active) { s[use] = 0; s[use + 1] = 0; s[use + 2] = 1; continue; }
    double below = alpha * beta_before * (zeta_before - zeta) + zeta_before * alpha_before * (1 + sigma * alpha);
    double next = zeta * zeta_before * alpha_before / below;
    s[use] = alpha * next / zeta;
    s[use + 1] = next;
    s[use + 2] = beta * (next / zeta) * (next / zeta);
    s[own + 2] = zeta;
    s[own + 1] = next * next * s[RESIDUAL] > s[own + 3] ? next : 0;
  }
  if (alpha != 0) { s[steps] = alpha; s[steps + 1] = beta; }
}
