#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz_reader.hpp"
#include "io/zip_builder.hpp"
#include <dformer/io/npz.hpp>

/// The input is an archive. As a random change of one is caught by its CRC-32, it is also taken as one array,
/// and as an array's header before elements that are there.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dformer;
  const auto input = fuzz::bytes(data, size);
  fuzz::expect_contents_or_error(
      [&, kept = io::KeptBytes()]() mutable { return io::read_npz(input, "fuzz", kept); });

  testing::ByteBuilder framed;
  framed.text("\x93NUMPY").byte(2).byte(0).put(static_cast<std::uint32_t>(size));
  framed.text(io::as_text(input)).text(std::string(64, 'x'));
  for (const std::string& array : {std::string(io::as_text(input)), framed.data}) {
    testing::ZipBuilder zip;
    zip.add("array.npy", array);
    const std::string archive = zip.finish();
    io::KeptBytes kept;
    fuzz::expect_contents_or_error([&] { return io::read_npz(testing::bytes_of(archive), "fuzz", kept); });
  }
  return 0;
}
