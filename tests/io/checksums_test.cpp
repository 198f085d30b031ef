#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "byte_builder.hpp"
#include <dformer/io/crc32.hpp>
#include <dformer/io/sha1.hpp>

namespace dformer {
namespace {

using testing::bytes_of;

/// One bit at a time, straight from the definition.
std::uint32_t crc32_by_bits(std::span<const std::byte> bytes, std::uint32_t polynomial) {
  std::uint32_t crc = 0xffffffffu;
  for (const std::byte byte : bytes) {
    crc ^= static_cast<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? polynomial : 0u);
  }
  return ~crc;
}

std::string hex(const io::Sha1Digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : digest) {
    (text += digits[static_cast<std::size_t>(byte >> 4)]) +=
        digits[static_cast<std::size_t>(byte & std::byte{15})];
  }
  return text;
}

TEST(Crc32, HasTheCheckValueOfItsDefinition) {
  EXPECT_EQ(io::crc32(bytes_of("123456789")), 0xcbf43926u);
  EXPECT_EQ(io::crc32({}), 0u);
  EXPECT_EQ(io::crc32c(bytes_of("123456789")), 0xe3069283u);
}

TEST(Crc32, AgreesWithTheDefinitionAtEveryLengthAndAlignment) {
  std::vector<std::byte> bytes(200);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>((i * 37 + i / 7) & 0xffu);
  for (std::size_t start = 0; start < 17; ++start) {
    for (std::size_t size = 0; start + size <= bytes.size(); ++size) {
      const auto part = std::span(bytes).subspan(start, size);
      ASSERT_EQ(io::crc32(part), crc32_by_bits(part, 0xedb88320u)) << start << " " << size;
      ASSERT_EQ(io::crc32c(part), crc32_by_bits(part, 0x82f63b78u)) << start << " " << size;
    }
  }
}

TEST(Crc32, ContinuesWhereAnEarlierCallStopped) {
  EXPECT_EQ(io::crc32(bytes_of("456789"), io::crc32(bytes_of("123"))), 0xcbf43926u);
}

// FIPS 180-4 examples, and the lengths around which the padding changes.
TEST(Sha1, HasThePublishedValues) {
  EXPECT_EQ(hex(io::sha1({})), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(hex(io::sha1(bytes_of("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(io::sha1(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(hex(io::sha1(bytes_of(std::string(1'000'000, 'a')))), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST(Sha1, PadsCorrectlyAroundBlockEnds) {
  EXPECT_EQ(hex(io::sha1(bytes_of(std::string(55, 'x')))), "cef734ba81a024479e09eb5a75b6ddae62e6abf1");
  EXPECT_EQ(hex(io::sha1(bytes_of(std::string(56, 'x')))), "901305367c259952f4e7af8323f480d59f81335b");
  EXPECT_EQ(hex(io::sha1(bytes_of(std::string(63, 'x')))), "0ddc4e0cccd9a12850deb5abb0853a4425559fec");
  EXPECT_EQ(hex(io::sha1(bytes_of(std::string(64, 'x')))), "bb2fa3ee7afb9f54c6dfb5d021f14b1ffe40c163");
  EXPECT_EQ(hex(io::sha1(bytes_of(std::string(65, 'x')))), "78c741ddc482e4cdf8c474a0876347a0905b6233");
  EXPECT_EQ(hex(io::sha1(bytes_of(std::string(119, 'x')))), "4300320394f7ee239bcdce7d3b8bcee173a0cd5c");
  EXPECT_EQ(hex(io::sha1(bytes_of(std::string(120, 'x')))), "ceb2821639c4b6dcb10bce0e522ca2e608ce056d");
}

TEST(Sha1, TakesItsBytesInPieces) {
  const std::string text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq" + std::string(200, 'x');
  for (const std::size_t piece : {1u, 7u, 63u, 64u, 65u, 130u}) {
    io::Sha1 sum;
    for (std::size_t i = 0; i < text.size(); i += piece)
      sum.add(bytes_of(std::string_view(text).substr(i, piece)));
    EXPECT_EQ(hex(sum.digest()), hex(io::sha1(bytes_of(text)))) << piece;
  }
}

}  // namespace
}  // namespace dformer
