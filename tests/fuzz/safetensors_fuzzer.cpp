#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz_reader.hpp"
#include "io/byte_builder.hpp"
#include <dformer/io/safetensors.hpp>

/// The input is a file. An input that looks like a header is also given the length that goes before it, and
/// some data.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dformer;
  const auto input = fuzz::bytes(data, size);
  fuzz::expect_contents_or_error([&] { return io::read_safetensors(input, "fuzz"); });
  if (size == 0 || data[0] != '{') return 0;
  testing::ByteBuilder file;
  file.put(std::uint64_t{size}).text(io::as_text(input)).text(std::string(16, 'x'));
  fuzz::expect_contents_or_error([&] { return io::read_safetensors(testing::bytes_of(file.data), "fuzz"); });
  return 0;
}
