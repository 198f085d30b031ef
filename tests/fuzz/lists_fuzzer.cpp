#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "fuzz_reader.hpp"
#include <dformer/data/classes.hpp>
#include <dformer/data/dataset_list.hpp>
#include <dformer/io/byte_reader.hpp>

/// The input is the list of a data set, and a file of class names. No name may lead out of its folder.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dformer;
  const std::string text(io::as_text(fuzz::bytes(data, size)));
  try {
    std::istringstream stream(text);
    for (const ListedName& name : parse_dataset_list(stream, "fuzz")) {
      const auto place = (std::filesystem::path("/folder") / (name.stem + ".png")).lexically_normal();
      if (!place.string().starts_with("/folder/")) std::abort();
    }
  } catch (const DatasetError&) {
  }
  try {
    std::istringstream stream(text);
    if (parse_classes(stream, "fuzz").size() > 255) std::abort();
  } catch (const ArgumentError&) {
  }
  return 0;
}
