#include <cstddef>
#include <cstdint>

#include "fuzz_reader.hpp"
#include <dformer/io/jittor_pickle.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dformer;
  io::KeptBytes kept;
  fuzz::expect_contents_or_error(
      [&] { return io::read_jittor_pickle(fuzz::bytes(data, size), "fuzz", kept); });
  return 0;
}
