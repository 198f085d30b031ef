// The functions of math.inl as kernels that a test can call; included once for each instruction set, inside
// its namespace.

inline void exp_kernel(const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += Vec<float>::size) exp(Vec<float>::load(x + i)).store(y + i);
}
inline void erf_kernel(const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += Vec<float>::size) erf(Vec<float>::load(x + i)).store(y + i);
}
inline void sqrt_kernel(const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += Vec<float>::size) sqrt(Vec<float>::load(x + i)).store(y + i);
}
inline void gelu_kernel(const float* x, float* y, std::int64_t count) {
  activate_range(x, y, count, Activation::gelu);
}
inline void sigmoid_kernel(const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += Vec<float>::size) sigmoid(Vec<float>::load(x + i)).store(y + i);
}
inline void sin_kernel(const float* x, float* y, std::int64_t count) {
  Vec<float> s, c;
  for (std::int64_t i = 0; i < count; i += Vec<float>::size) {
    sincos(Vec<float>::load(x + i), s, c);
    s.store(y + i);
  }
}
inline void cos_kernel(const float* x, float* y, std::int64_t count) {
  Vec<float> s, c;
  for (std::int64_t i = 0; i < count; i += Vec<float>::size) {
    sincos(Vec<float>::load(x + i), s, c);
    c.store(y + i);
  }
}

inline constexpr MathKernels math_kernels{exp_kernel,     erf_kernel, sqrt_kernel, gelu_kernel,
                                          sigmoid_kernel, sin_kernel, cos_kernel};
