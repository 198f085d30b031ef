#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include <dformer/io/pickle_value.hpp>

namespace dformer::io {

namespace detail {

/// Modules that a pickle names in order to run code, reach the system or load more pickles.
inline constexpr std::array<std::string_view, 46> code_running_modules{
    "__builtin__", "__builtins__", "_ctypes",    "_io",      "_operator", "_pickle",    "_posixsubprocess",
    "asyncio",     "bdb",          "builtins",   "cProfile", "code",      "codeop",     "commands",
    "concurrent",  "ctypes",       "distutils",  "doctest",  "ftplib",    "http",       "imp",
    "importlib",   "inspect",      "io",         "marshal",  "nt",        "operator",   "os",
    "pdb",         "pickle",       "pip",        "pkgutil",  "platform",  "popen2",     "posix",
    "profile",     "pty",          "runpy",      "shutil",   "socket",    "subprocess", "sys",
    "timeit",      "urllib",       "webbrowser", "zipimport"};

/// Built-in types that only hold data.
inline constexpr std::array<std::string_view, 16> harmless_builtins{
    "bool", "bytearray", "bytes",  "complex", "dict", "float", "frozenset", "int",
    "list", "long",      "object", "range",   "set",  "slice", "str",       "tuple"};

}  // namespace detail

/// Whether a pickle that names this is refused outright.
///
/// Nothing that a pickle names is ever imported or called here: names with a meaning (tensors, arrays,
/// dictionaries) are understood by the readers, every other one becomes an inert object that is only an error
/// where a tensor is needed. Safety therefore does not depend on this list being complete. It exists because
/// a checkpoint that asks for `os.system` is an attack, and whoever fetched it should hear so instead of
/// seeing it load.
inline bool runs_code(const PickleGlobal& global) {
  const std::string_view top = global.module.substr(0, global.module.find('.'));
  if (top == "builtins" || top == "__builtin__") {
    return std::ranges::find(detail::harmless_builtins, global.name) == detail::harmless_builtins.end();
  }
  if (std::ranges::binary_search(detail::code_running_modules, top)) return true;
  // Protocol 4 allows dotted names, which reach other modules through an innocent one: `torch` + `os.system`.
  for (std::string_view rest = global.name; rest.find('.') != rest.npos;) {
    const std::size_t dot = rest.find('.');
    if (std::ranges::binary_search(detail::code_running_modules, rest.substr(0, dot))) return true;
    rest.remove_prefix(dot + 1);
  }
  return false;
}

}  // namespace dformer::io
