#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz_reader.hpp"
#include "io/zip_builder.hpp"
#include <dformer/io/torch_zip.hpp>

/// The input is an archive. As a random change of one is caught by its CRC-32, an input that looks like a
/// pickle is also put into a sound archive, next to storages that it may refer to.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dformer;
  const auto input = fuzz::bytes(data, size);
  fuzz::expect_contents_or_error(
      [&, kept = io::KeptBytes()]() mutable { return io::read_torch_zip(input, "fuzz", kept); });
  if (size == 0 || data[0] != 0x80) return 0;
  testing::ZipBuilder zip;
  zip.add("a/data.pkl", std::string(io::as_text(input)));
  zip.add("a/byteorder", size % 2 == 0 ? "little" : "big");
  for (const std::size_t floats : {0, 1, 4, 16})
    zip.add("a/data/" + std::to_string(floats), std::string(floats * 4, 'x'));
  const std::string archive = zip.finish();
  io::KeptBytes kept;
  fuzz::expect_contents_or_error(
      [&] { return io::read_torch_zip(testing::bytes_of(archive), "fuzz", kept); });
  return 0;
}
