#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <backend/naive_epilogue.hpp>

/// The decomposition written down as it is published, in double.
namespace dformer::testing {

struct Matrix {
  std::size_t rows, columns;
  std::vector<double> values;
  double& operator()(std::size_t i, std::size_t j) { return values[i * columns + j]; }
  double operator()(std::size_t i, std::size_t j) const { return values[i * columns + j]; }
};

inline Matrix times(const Matrix& a, const Matrix& b) {
  Matrix c{a.rows, b.columns, std::vector<double>(a.rows * b.columns)};
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t k = 0; k < a.columns; ++k)
      for (std::size_t j = 0; j < b.columns; ++j) c(i, j) += a(i, k) * b(k, j);
  return c;
}

inline Matrix transposed(const Matrix& a) {
  Matrix b{a.columns, a.rows, std::vector<double>(a.values.size())};
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < a.columns; ++j) b(j, i) = a(i, j);
  return b;
}

inline Matrix updated(const Matrix& values, const Matrix& numerator, const Matrix& denominator) {
  Matrix result = values;
  for (std::size_t i = 0; i < values.values.size(); ++i) {
    result.values[i] *= numerator.values[i] / (denominator.values[i] + 1e-6);
  }
  return result;
}

inline Matrix updated_coefficients(const Matrix& x, const Matrix& bases, const Matrix& coefficients) {
  return updated(coefficients, times(x, bases), times(coefficients, times(transposed(bases), bases)));
}

inline Matrix updated_bases(const Matrix& x, const Matrix& bases, const Matrix& coefficients) {
  return updated(bases, times(transposed(x), coefficients),
                 times(bases, times(transposed(coefficients), coefficients)));
}

inline Matrix decomposed(const Matrix& x, Matrix bases, int steps, double inv_t) {
  Matrix coefficients = times(x, bases);
  for (std::size_t i = 0; i < coefficients.rows; ++i) {
    double largest = -1e300, total = 0;
    for (std::size_t j = 0; j < bases.columns; ++j) largest = std::max(largest, inv_t * coefficients(i, j));
    for (std::size_t j = 0; j < bases.columns; ++j) {
      total += coefficients(i, j) = std::exp(inv_t * coefficients(i, j) - largest);
    }
    for (std::size_t j = 0; j < bases.columns; ++j) coefficients(i, j) /= total;
  }
  for (int step = 0; step < steps; ++step) {
    coefficients = updated_coefficients(x, bases, coefficients);
    bases = updated_bases(x, bases, coefficients);
  }
  return times(updated_coefficients(x, bases, coefficients), transposed(bases));
}

/// Image n of [N, rows, columns].
inline Matrix image(const Array& array, std::size_t n) {
  const auto rows = static_cast<std::size_t>(array.shape[1]),
             columns = static_cast<std::size_t>(array.shape[2]);
  const auto from = array.values.begin() + static_cast<std::ptrdiff_t>(n * rows * columns);
  return {rows, columns, {from, from + static_cast<std::ptrdiff_t>(rows * columns)}};
}

/// Uniform in [0, 1), as images after a ReLU and the bases are.
inline Array positive_array(const Shape& shape, unsigned seed) {
  Array array = random_array(shape, seed);
  for (float& value : array.values) value = 0.5f * value + 0.5f;
  return array;
}

}  // namespace dformer::testing
