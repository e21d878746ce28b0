// exp, log, sin, cos, atan2 in double precision, lane by lane from IEEE operations only, so that every processor agrees to
// the bit. Errors are below 2 units in the last place in the ranges stated.
#pragma once
#include "number.h"

// sum_k c[k] x^k by Horner's rule
template <int N, class D> FN D polynomial(D x, const double (&c)[N]) {
  D r = constant<D>(c[N - 1]);
  UNROLL for (int k = N - 2; k >= 0; k--) r = madd(r, x, constant<D>(c[k]));
  return r;
}
// The nearest integer, |x| < 2^51
template <class D> FN D nearest(D x) {
  D magic = constant<D>(6755399441055744.0);  // 1.5 * 2^52
  return (x + magic) - magic;
}

// exp(x); 0 below -708, about 1e308 above 709
template <class D> FN D exponential(D x) {
  constexpr double c[14] = {1, 1, 1 / 2., 1 / 6., 1 / 24., 1 / 120., 1 / 720., 1 / 5040., 1 / 40320., 1 / 362880.,
                            1 / 3628800., 1 / 39916800., 1 / 479001600., 1 / 6227020800.};
  auto low = x < constant<D>(-708);
  x = select(low, constant<D>(-708), select(x > constant<D>(709), constant<D>(709), x));
  D magic = constant<D>(6755399441055744.0), k = madd(x, constant<D>(1.4426950408889634), magic);
  auto shift = bits_of(k) << 52;
  k = k - magic;
  D r = madd(k, constant<D>(-0.69314718036912382), x);     // ln 2, high part: exact product
  r = madd(k, constant<D>(-1.9082149292705877e-10), r);
  D y = polynomial(r, c);
  return select(low, D{}, double_of_bits(bits_of(y) + shift));
}

// log(x) for positive normal x: x = 2^e m, log m = 2 atanh((m - 1)/(m + 1)), m in [1/sqrt 2, sqrt 2)
template <class D> FN D logarithm(D x) {
  constexpr double c[11] = {1 / 3., 1 / 5., 1 / 7., 1 / 9., 1 / 11., 1 / 13., 1 / 15., 1 / 17., 1 / 19., 1 / 21., 1 / 23.};
  auto b = bits_of(x) + (0x3ff0000000000000ull - 0x3fe6a09e667f3bcdull);
  D e = to_double(b >> 52) - constant<D>(1023);
  D m = double_of_bits((b & 0x000fffffffffffffull) + 0x3fe6a09e667f3bcdull);
  D f = m - constant<D>(1), s = f / (m + constant<D>(1)), s2 = s * s;
  D tail = s2 * polynomial(s2, c) * s;
  D r = madd(e, constant<D>(1.9082149292705877e-10), tail + tail);
  return madd(e, constant<D>(0.69314718036912382), (s + s) + r);
}

// sin and cos of r in [-pi/4, pi/4], turned by q quarter turns (q an integer in a double)
template <class D> FN void sincos_quarter(D r, D q, D& sine, D& cosine) {
  constexpr double cs[8] = {-1 / 6., 1 / 120., -1 / 5040., 1 / 362880., -1 / 39916800., 1 / 6227020800., -1 / 1307674368000., 1 / 355687428096000.};
  constexpr double cc[8] = {1 / 24., -1 / 720., 1 / 40320., -1 / 3628800., 1 / 479001600., -1 / 87178291200., 1 / 20922789888000., -1 / 6402373705728000.};
  D r2 = r * r, s = madd(r * r2, polynomial(r2, cs), r);
  D c = madd(r2 * r2, polynomial(r2, cc), madd(constant<D>(-0.5), r2, constant<D>(1)));
  D half = q * constant<D>(0.5), odd = absolute(half - nearest(half));     // 1/2 if q is odd
  auto swap = odd > constant<D>(0.25);
  D a = select(swap, c, s), b = select(swap, s, c);
  D quarter = q * constant<D>(0.25), k = quarter - nearest(quarter);        // q mod 4 in {-1/2, -1/4, 0, 1/4, 1/2}
  auto halfturn = absolute(k) > constant<D>(0.375);
  sine = select(either(halfturn, k < constant<D>(-0.125)), -a, a);
  cosine = select(either(halfturn, k > constant<D>(0.125)), -b, b);
}
// sin and cos of 2 pi u, |u| < 2^20
template <class D> FN void sincos_turns(D u, D& sine, D& cosine) {
  D q = nearest(u * constant<D>(4));
  sincos_quarter(madd(q, constant<D>(-0.25), u) * constant<D>(6.2831853071795865), q, sine, cosine);
}
// sin and cos of x, |x| < 1e5
template <class D> FN void sincos(D x, D& sine, D& cosine) {
  D q = nearest(x * constant<D>(0.63661977236758134));
  D r = madd(q, constant<D>(-1.5707963267341256), x);
  r = madd(q, constant<D>(-6.0771005063039099e-11), r);
  r = madd(q, constant<D>(-2.0228220107700098e-21), r);
  sincos_quarter(r, q, sine, cosine);
}

// The angle of (x, y) in (-pi, pi]; 0 at the origin
template <class D> FN D arctan2(D y, D x) {
  constexpr double c[22] = {-1 / 3., 1 / 5., -1 / 7., 1 / 9., -1 / 11., 1 / 13., -1 / 15., 1 / 17., -1 / 19., 1 / 21., -1 / 23.,
                            1 / 25., -1 / 27., 1 / 29., -1 / 31., 1 / 33., -1 / 35., 1 / 37., -1 / 39., 1 / 41., -1 / 43., 1 / 45.};
  D ax = absolute(x), ay = absolute(y);
  auto steep = ay > ax;
  D big = select(steep, ay, ax), small = select(steep, ax, ay);
  D t = small / select(big == D{}, constant<D>(1), big);
  auto far = t > constant<D>(0.41421356237309503);                          // tan(pi/8)
  D z = select(far, (t - constant<D>(1)) / (t + constant<D>(1)), t), z2 = z * z;
  D a = madd(z * z2, polynomial(z2, c), z);
  a = select(far, a + constant<D>(0.78539816339744831), a);
  a = select(steep, constant<D>(1.5707963267948966) - a, a);
  a = select(x < D{}, constant<D>(3.1415926535897931) - a, a);
  return select(y < D{}, -a, a);
}
