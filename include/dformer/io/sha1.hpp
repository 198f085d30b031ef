#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace dformer::io {

using Sha1Digest = std::array<std::byte, 20>;

namespace detail {

inline void sha1_block(std::array<std::uint32_t, 5>& state, const std::byte* block) {
  std::array<std::uint32_t, 80> words;
  for (std::size_t i = 0; i < 16; ++i) {
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 4; ++k) word = (word << 8) | static_cast<std::uint32_t>(block[4 * i + k]);
    words[i] = word;
  }
  for (std::size_t i = 16; i < 80; ++i) {
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  }
  std::uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
  const auto round = [&](std::uint32_t mixed, std::uint32_t constant, std::uint32_t word) {
    const std::uint32_t next = std::rotl(a, 5) + mixed + e + constant + word;
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  };
  for (std::size_t i = 0; i < 20; ++i) round((b & c) | (~b & d), 0x5a827999u, words[i]);
  for (std::size_t i = 20; i < 40; ++i) round(b ^ c ^ d, 0x6ed9eba1u, words[i]);
  for (std::size_t i = 40; i < 60; ++i) round((b & c) | (b & d) | (c & d), 0x8f1bbcdcu, words[i]);
  for (std::size_t i = 60; i < 80; ++i) round(b ^ c ^ d, 0xca62c1d6u, words[i]);
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
}

}  // namespace detail

/// SHA-1, with which Jittor seals its pickles: it finds damage, it proves nothing about who wrote the file.
/// Takes the bytes in any number of pieces.
class Sha1 {
 public:
  void add(std::span<const std::byte> bytes) {
    length_ += bytes.size();
    if (pending_ > 0) {
      const std::size_t part = std::min(bytes.size(), block_size - pending_);
      std::ranges::copy(bytes.first(part), block_.begin() + static_cast<std::ptrdiff_t>(pending_));
      bytes = bytes.subspan(part);
      if ((pending_ += part) < block_size) return;
      detail::sha1_block(state_, block_.data());
    }
    for (; bytes.size() >= block_size; bytes = bytes.subspan(block_size))
      detail::sha1_block(state_, bytes.data());
    std::ranges::copy(bytes, block_.begin());
    pending_ = bytes.size();
  }

  /// Of all bytes so far; none may follow.
  Sha1Digest digest() {
    // A one bit, zeros, and the length in bits as the last eight bytes of a block.
    const std::uint64_t bits = length_ * 8;
    std::array<std::byte, block_size + 8> end{std::byte{0x80}};
    const std::size_t zeros_end = (pending_ < 56 ? 56 : 56 + block_size) - pending_;
    for (std::size_t i = 0; i < 8; ++i)
      end[zeros_end + 7 - i] = static_cast<std::byte>((bits >> (8 * i)) & 0xffu);
    add(std::span(end).first(zeros_end + 8));
    Sha1Digest digest;
    for (std::size_t i = 0; i < digest.size(); ++i)
      digest[i] = static_cast<std::byte>((state_[i / 4] >> (24 - 8 * (i % 4))) & 0xffu);
    return digest;
  }

 private:
  static constexpr std::size_t block_size = 64;

  std::array<std::uint32_t, 5> state_{0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
  std::array<std::byte, block_size> block_{};
  std::size_t pending_ = 0;
  std::uint64_t length_ = 0;
};

inline Sha1Digest sha1(std::span<const std::byte> bytes) {
  Sha1 sum;
  sum.add(bytes);
  return sum.digest();
}

}  // namespace dformer::io
