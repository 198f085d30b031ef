#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/recipe_toml.hpp"
#include "fuzz_reader.hpp"
#include <dformer/io/byte_reader.hpp>

/// The input is a recipe, and a setting of the command line. What is understood must read back as it was
/// written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dformer;
  const std::string_view text = io::as_text(fuzz::bytes(data, size));
  try {
    const Recipe recipe = programs::parse_recipe(text, "fuzz");
    const std::string written = programs::to_toml(recipe);
    if (programs::to_toml(programs::parse_recipe(written, "written")) != written) std::abort();
    require_valid(recipe);
  } catch (const ArgumentError&) {
  }
  try {
    Recipe recipe;
    programs::override_recipe(recipe, std::string(text));
  } catch (const ArgumentError&) {
  }
  return 0;
}
