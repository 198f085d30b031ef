#pragma once

#include <string>

#include <dformer/core/error.hpp>

namespace dformer {

/// An image file or an image in memory is missing, unreadable, or of another kind than asked for; or a
/// picture could not be written. The text begins with the file or the function in brackets.
class ImageError : public Error {
 public:
  using Error::Error;
};

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_image_error(const std::string& subject,
                                                                     const std::string& what) {
  throw ImageError("[" + subject + "] " + what);
}

}  // namespace dformer
