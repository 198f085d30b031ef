#pragma once

#include <string>
#include <string_view>

#include <dformer/io/limits.hpp>
#include <dformer/io/utf8.hpp>

namespace dformer::io {

/// Why no tensor of a file has this name; empty where one may. What is read and written are names that any
/// container can hold and any terminal show.
inline std::string fault_of_name(std::string_view name) {
  if (!is_printable(name))
    return "a tensor has a name of " + std::to_string(name.size()) + " bytes that is no printable UTF-8 text";
  if (name.size() > longest_name) {
    return "a tensor has a name of " + std::to_string(name.size()) + " bytes, '" +
           std::string(name.substr(0, 40)) + "…'; at most " + std::to_string(longest_name) + " are possible";
  }
  return {};
}

}  // namespace dformer::io
