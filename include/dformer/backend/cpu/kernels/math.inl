// Included once for each instruction set by kernels.hpp.
//
// Elementary functions on vectors. The float ones are polynomials with coefficients fitted for this file
// (weighted least squares driven to equal ripple); the errors stated are the largest over a dense sweep,
// which tests/backend/math_test.cpp repeats. NaN passes through all of them: bounds are taken as min(bound,
// x), which keeps x where the comparison fails. The double ones are the standard library's, element by
// element: double is for checking.

/// e^x within 1.2 ulp. 0 below -86.98, where the result would be denormal or nearly so; infinity above 88.72.
DFORMER_ALWAYS_INLINE Vec<float> exp(Vec<float> x) {
  using V = Vec<float>;
  x = min(V::broadcast(89.0f), max(V::broadcast(-87.5f), x));
  // Adding 1.5 * 2^23 rounds to an integer, which is then in the low bits.
  const V shifter = V::broadcast(12582912.0f);
  const V shifted = fma(x, V::broadcast(1.44269504f), shifter);
  const V k = shifted - shifter;
  V r = fma(k, V::broadcast(-0.693145751953125f), x);  // ln 2 in 15 bits: the product is exact
  r = fma(k, V::broadcast(-1.42860682e-6f), r);
  // 2 e^r; with 2^(k - 1) instead of 2^k every exponent up to the largest result fits, and k = -126 gives 0.
  V p = V::broadcast(2.762893448e-03f);
  p = fma(p, r, V::broadcast(1.673756167e-02f));
  p = fma(p, r, V::broadcast(8.333678544e-02f));
  p = fma(p, r, V::broadcast(3.333303928e-01f));
  p = fma(p, r, V::broadcast(9.999998808e-01f));
  p = fma(p, r, V::broadcast(2.0f));
  p = fma(p, r, V::broadcast(2.0f));
  const V::Int exponent = (shifted.bits() + 126) << 23;  // the bits of 1.5 * 2^23 leave to the left
  return p * V::from_bits(exponent);
}

/// erf(x) of N vectors within 4.5 ulp, exactly 1 and -1 far out. x times a polynomial in x^2 up to |x|
/// = 3.83, where erf is 1 to half an ulp; beyond, the constant last value times x only grows and is cut off.
/// Each step of a polynomial waits for the one before, so those of several vectors are done in turns.
template <int N>
DFORMER_ALWAYS_INLINE void erf(Vec<float> (&x)[N]) {
  using V = Vec<float>;
  constexpr float limit = 3.83f * 3.83f;
  constexpr float coefficients[] = {1.403667848e-03f, -1.132549485e-03f, 1.790459151e-03f, -6.084297784e-03f,
                                    1.155781839e-02f, -1.749662124e-02f, 2.708853595e-02f, -4.056993127e-02f,
                                    5.606576800e-02f, -7.286556810e-02f, 9.080874175e-02f, -1.107173413e-01f,
                                    1.368238479e-01f, -1.842313111e-01f, 3.691990376e-01f};
  V u[N], p[N];  // u in [-1, 1]
  DFORMER_UNROLL
  for (int i = 0; i < N; ++i) {
    const V t = min(V::broadcast(limit), x[i] * x[i]);
    u[i] = fma(t, V::broadcast(2.0f / limit), V::broadcast(-1.0f));
    p[i] = V::broadcast(-5.436633946e-04f);
  }
  DFORMER_UNROLL
  for (const float coefficient : coefficients) {
    DFORMER_UNROLL
    for (int i = 0; i < N; ++i) p[i] = fma(p[i], u[i], V::broadcast(coefficient));
  }
  DFORMER_UNROLL
  for (int i = 0; i < N; ++i) x[i] = min(V::broadcast(1.0f), max(V::broadcast(-1.0f), x[i] * p[i]));
}

/// The square root of x >= 0 within 0.9 ulp; below 1.2e-38, where x is denormal, anything from 0 to the root.
/// Newton's method for 1 / sqrt(x) from an estimate that halves the exponent, then a step for the root
/// itself.
DFORMER_ALWAYS_INLINE Vec<float> sqrt(Vec<float> x) {
  using V = Vec<float>;
  const V half = x * V::broadcast(0.5f);
  V inverse = V::from_bits(0x5f375a86 - (x.bits() >> 1));
  inverse = inverse * (V::broadcast(1.5f) - half * inverse * inverse);
  inverse = inverse * (V::broadcast(1.5f) - half * inverse * inverse);
  const V root = x * inverse;
  const V better = fma(inverse * V::broadcast(0.5f), x - root * root, root);
  return {x.v > std::numeric_limits<float>::max() ? x.v : better.v};
}

/// Replaces sine and cosine where `chosen` is not 0. Out of line: it is rare, and calls would take registers.
[[gnu::noinline, gnu::cold]] inline void sincos_of_large(const Vec<float>& x, const Vec<float>::Int& chosen,
                                                         Vec<float>& s, Vec<float>& c) {
  for (int i = 0; i < Vec<float>::size; ++i) {
    if (chosen[i] == 0) continue;
    const double argument = x.v[i];
    s.v[i] = static_cast<float>(std::sin(argument));
    c.v[i] = static_cast<float>(std::cos(argument));
  }
}

/// sin and cos, absolute error at most 1.1e-7 each, for every finite x. Up to |x| = 1e5, the multiple k of
/// pi/2 is taken off in parts of eight bits; k then has at most sixteen, so that the products are exact, and
/// fused and unfused multiply-adds agree. Larger elements (and infinity and NaN, which give NaN) go one by
/// one through the standard library in double.
DFORMER_ALWAYS_INLINE void sincos(Vec<float> x, Vec<float>& s, Vec<float>& c) {
  using V = Vec<float>;
  const V shifter = V::broadcast(12582912.0f);
  const V shifted = fma(x, V::broadcast(0.636619772f), shifter);
  const V k = shifted - shifter;
  V r = fma(k, V::broadcast(-0x1.92p+0f), x);
  r = fma(k, V::broadcast(-0x1.fap-12f), r);
  r = fma(k, V::broadcast(-0x1.54p-20f), r);
  r = fma(k, V::broadcast(-0x1.10b460p-30f), r);
  const V rr = r * r;
  V sine = V::broadcast(-1.951697777e-04f);
  sine = fma(sine, rr, V::broadcast(8.332176134e-03f));
  sine = fma(sine, rr, V::broadcast(-1.666665524e-01f));
  sine = fma(sine * rr, r, r);
  V cosine = V::broadcast(2.443809171e-05f);
  cosine = fma(cosine, rr, V::broadcast(-1.388736418e-03f));
  cosine = fma(cosine, rr, V::broadcast(4.166664556e-02f));
  cosine = fma(cosine, rr, V::broadcast(-0.5f));
  cosine = fma(cosine, rr, V::broadcast(1.0f));
  // Odd quadrants exchange the two; the sine's sign is bit 1 of the quadrant, the cosine's that of the next
  // one.
  const V::Int quadrant = shifted.bits();
  const V::Int exchange = -(quadrant & 1);
  const V::Int sine_bits = (exchange & cosine.bits()) | (~exchange & sine.bits());
  const V::Int cosine_bits = (exchange & sine.bits()) | (~exchange & cosine.bits());
  s = V::from_bits(sine_bits ^ ((quadrant & 2) << 30));
  c = V::from_bits(cosine_bits ^ (((quadrant + 1) & 2) << 30));

  // As integers, the bits of NaN and infinity are larger than those of every number.
  const V::Int too_large = (x.bits() & 0x7fffffff) > V::broadcast(1e5f).bits();
  if (sum(Vec<std::int32_t>{too_large}) != 0) [[unlikely]] {
    sincos_of_large(x, too_large, s, c);
  }
}

DFORMER_ALWAYS_INLINE Vec<double> exp(Vec<double> x) {
  for (int i = 0; i < Vec<double>::size; ++i) x.v[i] = std::exp(x.v[i]);
  return x;
}
template <int N>
DFORMER_ALWAYS_INLINE void erf(Vec<double> (&x)[N]) {
  for (Vec<double>& each : x) {
    Vec<double> y = each;  // GCC 12 takes elements that are changed in an array of vectors for uninitialised
    for (int i = 0; i < Vec<double>::size; ++i) y.v[i] = std::erf(y.v[i]);
    each = y;
  }
}
DFORMER_ALWAYS_INLINE Vec<double> sqrt(Vec<double> x) {
  for (int i = 0; i < Vec<double>::size; ++i) x.v[i] = std::sqrt(x.v[i]);
  return x;
}
DFORMER_ALWAYS_INLINE void sincos(Vec<double> x, Vec<double>& s, Vec<double>& c) {
  for (int i = 0; i < Vec<double>::size; ++i) {
    s.v[i] = std::sin(x.v[i]);
    c.v[i] = std::cos(x.v[i]);
  }
}

template <class T>
DFORMER_ALWAYS_INLINE Vec<T> erf(Vec<T> x) {
  Vec<T> one[] = {x};
  erf(one);
  return one[0];
}

template <class T>
DFORMER_ALWAYS_INLINE Vec<T> relu(Vec<T> x) {
  return max(Vec<T>::zero(), x);
}

/// x/2 (1 + erf(x / sqrt 2)) of N vectors; in float, absolute error at most 2e-7 * max(1, |x|). 0 at minus
/// infinity.
template <class T, int N>
DFORMER_ALWAYS_INLINE void gelu(Vec<T> (&x)[N]) {
  using V = Vec<T>;
  V y[N];
  DFORMER_UNROLL
  for (int i = 0; i < N; ++i) y[i] = x[i] * V::broadcast(T(0.70710678118654752440));
  erf(y);
  DFORMER_UNROLL
  for (int i = 0; i < N; ++i) {
    const V half = max(V::broadcast(T(-100)), x[i] * V::broadcast(T(0.5)));  // no infinity times zero
    x[i] = fma(half, y[i], half);
  }
}

/// 1 / (1 + e^-x) within 2.5 ulp.
template <class T>
DFORMER_ALWAYS_INLINE Vec<T> sigmoid(Vec<T> x) {
  const Vec<T> one = Vec<T>::broadcast(T(1));
  return one / (one + exp(Vec<T>::zero() - x));
}

/// How many vectors are activated together where there are as many.
inline constexpr int activated_at_once = 4;

template <class T, int N>
DFORMER_ALWAYS_INLINE void activate(Vec<T> (&x)[N], Activation activation) {
  switch (activation) {
    case Activation::relu:
      for (int i = 0; i < N; ++i) x[i] = relu(x[i]);
      return;
    case Activation::gelu:
      return gelu(x);
    case Activation::sigmoid:
      for (int i = 0; i < N; ++i) x[i] = sigmoid(x[i]);
      return;
    case Activation::none:
      return;
  }
}
