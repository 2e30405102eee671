/* exp and log as straight-line code, so that compilers turn loops over rows into vector code.

   The C library's functions are calls with branches, which keeps a loop scalar. Both functions are
   within two units in the last place on the ranges that laws of losses reach. Callers compile with
   strict floating point (no -ffast-math): the rounding constant must not be simplified away. */
#ifndef BOOTLAW_ELEMENTARY_H
#define BOOTLAW_ELEMENTARY_H

#include <stdint.h>
#include <string.h>

/* Loops over rows must end up inside the functions that are compiled for wide vectors: on their own
   they are compiled for the oldest processors. */
#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

INLINE int64_t bits_of(double x) { int64_t i; memcpy(&i, &x, 8); return i; }
INLINE double from_bits(int64_t i) { double x; memcpy(&x, &i, 8); return x; }

/* e^x; arguments beyond [-708, 709] count as the nearer end. x = k ln 2 + r with |r| <= ln 2 / 2;
   e^r by its Taylor polynomial of degree 13 (remainder 4e-18). NaN stays NaN. */
INLINE double exp_of(double x) {
    const double rounder = 6755399441055744.0; /* 1.5 * 2^52: adding it rounds to an integer */
    double clipped = x < -708.0 ? -708.0 : x;
    clipped = clipped > 709.0 ? 709.0 : clipped;
    double t = clipped * 1.4426950408889634074 + rounder;
    double k = t - rounder;
    double r = clipped - k * 6.93147180369123816490e-01;
    r -= k * 1.90821492927058770002e-10;
    double p = 1.0 / 6227020800.0;
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    return from_bits((int64_t)((uint64_t)bits_of(p) + ((uint64_t)bits_of(t) << 52)));
}

/* ln x for normal x > 0; other arguments give rubbish and are the caller's to catch.
   x = 2^e m with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh(s), s = (m - 1) / (m + 1), by its
   series up to s^21 (remainder 1e-18). */
INLINE double log_of(double x) {
    const int64_t half = 0x3fe6a09e667f3bcdLL; /* sqrt(1/2) */
    uint64_t shifted = (uint64_t)bits_of(x) - (uint64_t)half;
    /* The exponent, biased by 2^11: positive, it converts to a double by setting bits. */
    uint64_t biased = (shifted + (2048ULL << 52)) >> 52;
    double e = from_bits((int64_t)(biased | 0x4330000000000000ULL)) - 4503599627372544.0;
    double m = from_bits((int64_t)((shifted & 0x000fffffffffffffULL) + (uint64_t)half));
    double s = (m - 1.0) / (m + 1.0);
    double q = s * s;
    double p = 1.0 / 21.0;
    p = p * q + 1.0 / 19.0;
    p = p * q + 1.0 / 17.0;
    p = p * q + 1.0 / 15.0;
    p = p * q + 1.0 / 13.0;
    p = p * q + 1.0 / 11.0;
    p = p * q + 1.0 / 9.0;
    p = p * q + 1.0 / 7.0;
    p = p * q + 1.0 / 5.0;
    p = p * q + 1.0 / 3.0;
    double log_m = 2.0 * s + 2.0 * s * q * p;
    return e * 6.93147180369123816490e-01 + (e * 1.90821492927058770002e-10 + log_m);
}

#endif
