#pragma once

// The tensor cores' part of the kernels' language (device/warp_matrix.cuh) for a host compiler: lanes pass
// each other what they hold, and each makes its own sums, in float32 and in the order of the depth.

#include <cmath>
#include <cstdint>
#include <cstring>

#include <dformer/backend/cuda/emulation/block.hpp>
#include <dformer/backend/cuda/emulation/language.hpp>

namespace dformer::cuda::device {

/// What a lane brings to a product.
template <int A, int B>
struct WarpProduct {
  const std::uint32_t (&a)[A];
  const std::uint32_t (&b)[B];
  float (&sums)[4];
};

template <class T>
float element_of(std::uint32_t pair, int upper) {
  return to_float(T{static_cast<std::uint16_t>(upper != 0 ? pair >> 16 : pair & 0xffffu)});
}
inline std::uint32_t bits_of(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline float float_of(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// sums += a b over `depth`, where factor(lane's product, row or column, k) are the elements.
template <class Product, class Left, class Right>
void multiply_warp(Product product, int depth, const Left& left, const Right& right) {
  emulation::Block::current()->together(&product, [&](const emulation::Block::Brought& brought) {
    const auto of = [&](int lane) -> const Product& {
      return *static_cast<const Product*>(brought[static_cast<std::size_t>(lane)]);
    };
    float a[16][16], b[16][8];
    for (int k = 0; k < depth; ++k) {
      for (int row = 0; row < 16; ++row) a[row][k] = left(of, row, k);
      for (int column = 0; column < 8; ++column) b[k][column] = right(of, column, k);
    }
    for (int lane = 0; lane < 32; ++lane) {
      for (int i = 0; i < 4; ++i) {
        const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
        float& sum = of(lane).sums[i];
        for (int k = 0; k < depth; ++k) sum = std::fma(a[row][k], b[k][column], sum);
      }
    }
  });
}

template <class T>
void multiply_add_16_bit(const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], float (&sums)[4]) {
  multiply_warp(
      WarpProduct<4, 2>{a, b, sums}, 16,
      [](const auto& of, int row, int k) {
        return element_of<T>(of(row % 8 * 4 + k % 8 / 2).a[row / 8 + k / 8 * 2], k % 2);
      },
      [](const auto& of, int column, int k) {
        return element_of<T>(of(column * 4 + k % 8 / 2).b[k / 8], k % 2);
      });
}

inline void multiply_add_tf32(const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], float (&sums)[4]) {
  multiply_warp(
      WarpProduct<4, 2>{a, b, sums}, 8,
      [](const auto& of, int row, int k) { return float_of(of(row % 8 * 4 + k % 4).a[row / 8 + k / 4 * 2]); },
      [](const auto& of, int column, int k) { return float_of(of(column * 4 + k % 4).b[k / 4]); });
}

/// Halves are rounded away from zero.
inline std::uint32_t tf32_bits(float x) {
  const std::uint32_t bits = bits_of(x);
  const bool finite = (bits & 0x7f800000u) != 0x7f800000u;
  return (finite ? bits + 0x1000u : bits) & ~0x1fffu;
}

template <bool Turned, class T>
void load_matrices(const T* row, std::uint32_t (&registers)[4]) {
  const auto rows = emulation::Block::current()->publish(reinterpret_cast<std::uint64_t>(row));
  const unsigned lane = emulation::Block::current()->lane(), group = lane / 4, place = lane % 4;
  const auto bits = [&](unsigned matrix, unsigned in_row, unsigned column) {
    return std::uint32_t{reinterpret_cast<const T*>(rows[8 * matrix + in_row])[column].bits};
  };
  for (unsigned i = 0; i < 4; ++i) {
    const std::uint32_t lower = Turned ? bits(i, 2 * place, group) : bits(i, group, 2 * place);
    const std::uint32_t upper = Turned ? bits(i, 2 * place + 1, group) : bits(i, group, 2 * place + 1);
    registers[i] = upper << 16 | lower;
  }
}

}  // namespace dformer::cuda::device
