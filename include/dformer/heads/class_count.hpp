#pragma once

#include <string>
#include <type_traits>

#include <dformer/core/error.hpp>
#include <dformer/nn/conv2d.hpp>

namespace dformer {

/// Stands where the number of classes is no part of a head's type but given when the head is made, so that
/// one type serves every data set: `MlpHead<B, 32, 64, 128, 256, any_classes> head(13)`.
inline constexpr int any_classes = any_channels;

/// The number of classes of a head or a network, `num_classes`: of its type, or, for any_classes, of the
/// object.
template <int NumClasses>
struct ClassCount {
  static constexpr int num_classes = NumClasses;
};
template <>
struct ClassCount<any_classes> {
  const int num_classes;

  /// Throws: ArgumentError unless it is 2 to 255.
  ClassCount(int count) : num_classes(count) {  // a number is one: `head(13)`
    if (count >= 2 && count <= 255) return;
    throw_argument_error("[classes] a network has 2 to 255 classes, asked for " + std::to_string(count) +
                         "; a label is one byte and 255 means ignored");
  }
};

/// The number of classes that a head's type says, or any_classes.
template <class Head>
inline constexpr int classes_of_type = [] {
  if constexpr (std::is_member_pointer_v<decltype(&Head::num_classes)>) {
    return any_classes;
  } else {
    return Head::num_classes;
  }
}();

}  // namespace dformer
