#pragma once

// The tensor cores' part of the kernels' language (device/warp_matrix.cuh) for a host compiler: lanes pass
// each other what they hold, and each makes its own sums, in float32 and in the order of the depth.

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <dformer/backend/cuda/emulation/block.hpp>
#include <dformer/backend/cuda/emulation/language.hpp>

namespace dformer::cuda::device {

/// What all lanes hold in N registers, [register][lane].
template <int N>
class RegistersOfWarp {
 public:
  explicit RegistersOfWarp(const std::uint32_t (&own)[N]) {
    for (int i = 0; i < N; i += 2) {
      const auto& lanes = emulation::Block::current()->publish(std::uint64_t{own[i + 1]} << 32 | own[i]);
      for (unsigned lane = 0; lane < lanes.size(); ++lane) {
        held_[i][lane] = static_cast<std::uint32_t>(lanes[lane]);
        held_[i + 1][lane] = static_cast<std::uint32_t>(lanes[lane] >> 32);
      }
    }
  }
  std::uint32_t at(int i, unsigned lane) const { return held_[i][lane]; }

 private:
  std::array<std::array<std::uint32_t, 32>, N> held_{};
};

template <class T>
float element_of(std::uint32_t pair, unsigned upper) {
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

template <class T>
void multiply_add_16_bit(const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], float (&sums)[4]) {
  const RegistersOfWarp<4> left(a);
  const RegistersOfWarp<2> right(b);
  const unsigned lane = emulation::Block::current()->lane(), group = lane / 4, place = lane % 4;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned column = 2 * place + i % 2;
    for (unsigned k = 0; k < 16; ++k) {
      const unsigned holder = k % 8 / 2;
      sums[i] =
          std::fma(element_of<T>(left.at(static_cast<int>(i / 2 + 2 * (k / 8)), 4 * group + holder), k % 2),
                   element_of<T>(right.at(static_cast<int>(k / 8), 4 * column + holder), k % 2), sums[i]);
    }
  }
}

inline void multiply_add_tf32(const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], float (&sums)[4]) {
  const RegistersOfWarp<4> left(a);
  const RegistersOfWarp<2> right(b);
  const unsigned lane = emulation::Block::current()->lane(), group = lane / 4, place = lane % 4;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned column = 2 * place + i % 2;
    for (unsigned k = 0; k < 8; ++k) {
      sums[i] = std::fma(float_of(left.at(static_cast<int>(i / 2 + 2 * (k / 4)), 4 * group + k % 4)),
                         float_of(right.at(static_cast<int>(k / 4), 4 * column + k % 4)), sums[i]);
    }
  }
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
