#pragma once

#include <stdexcept>
#include <string>

namespace dformer {

/// Root of every exception the library throws. The text says what was given, what was expected, and what to
/// do.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A tensor, image or weight has another shape than an operation accepts.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// An argument is outside what a function accepts.
class ArgumentError : public Error {
 public:
  using Error::Error;
};

/// The operating system refused a file: no such folder, no permission, a full disk.
class FileError : public Error {
 public:
  using Error::Error;
};

/// Throwing stays out of line, so that a check costs its caller one comparison.
[[noreturn, gnu::cold, gnu::noinline]] inline void throw_shape_error(const std::string& what) {
  throw ShapeError(what);
}

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_argument_error(const std::string& what) {
  throw ArgumentError(what);
}

}  // namespace dformer
