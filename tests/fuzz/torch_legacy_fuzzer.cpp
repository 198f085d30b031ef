#include <cstddef>
#include <cstdint>

#include "fuzz_reader.hpp"
#include <dformer/io/torch_legacy.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dformer;
  io::KeptBytes kept;
  fuzz::expect_contents_or_error(
      [&] { return io::read_torch_legacy(fuzz::bytes(data, size), "fuzz", kept); });
  return 0;
}
