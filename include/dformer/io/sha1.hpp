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
inline Sha1Digest sha1(std::span<const std::byte> bytes) {
  std::array<std::uint32_t, 5> state{0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
  const std::size_t whole = bytes.size() / 64 * 64;
  for (std::size_t i = 0; i < whole; i += 64) detail::sha1_block(state, bytes.data() + i);

  // The rest, a one bit, zeros, and the length in bits as the last eight bytes of a block.
  std::array<std::byte, 128> tail{};
  const std::size_t rest = bytes.size() - whole;
  std::ranges::copy(bytes.subspan(whole), tail.begin());
  tail[rest] = std::byte{0x80};
  const std::size_t tail_size = rest < 56 ? 64 : 128;
  const std::uint64_t bits = static_cast<std::uint64_t>(bytes.size()) * 8;
  for (std::size_t i = 0; i < 8; ++i)
    tail[tail_size - 1 - i] = static_cast<std::byte>((bits >> (8 * i)) & 0xffu);
  for (std::size_t i = 0; i < tail_size; i += 64) detail::sha1_block(state, tail.data() + i);

  Sha1Digest digest;
  for (std::size_t i = 0; i < 20; ++i)
    digest[i] = static_cast<std::byte>((state[i / 4] >> (24 - 8 * (i % 4))) & 0xffu);
  return digest;
}

}  // namespace dformer::io
