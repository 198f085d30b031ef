#pragma once

#include <string>

#include <dformer/core/shape.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/pickle_source.hpp>

namespace dformer::io {

/// Extents or strides: a tuple (or torch.Size, or list) of at most Shape::max_rank integers.
/// Throws: CheckpointError(invalid_shape) or (corrupt_container).
inline Shape read_extents(const PickleSource& source, const PickleValue& value, const PickleObject& owner) {
  using Kind = CheckpointError::Kind;
  const PickleGlobal* callable = source.pickle.callable(value);
  if (callable != nullptr && callable->is("torch", "Size")) {
    const PickleValue& inner = source.arguments(source.pickle.object(value), 1)[0];
    if (!inner.is(PickleValue::Kind::object)) return read_extents(source, inner, owner);
  }
  if (!value.is(PickleValue::Kind::tuple) && !value.is(PickleValue::Kind::list)) {
    source.fail(Kind::corrupt_container, owner.file_offset, "pickle: a shape is no tuple");
  }
  const auto items = source.pickle.items(value);
  if (items.size() > static_cast<std::size_t>(Shape::max_rank)) {
    source.fail(Kind::invalid_shape, owner.file_offset,
                "a tensor has " + std::to_string(items.size()) + " axes, at most " +
                    std::to_string(Shape::max_rank) + " are supported");
  }
  Shape shape;
  for (const PickleValue& item : items) {
    if (!item.is(PickleValue::Kind::integer)) {
      source.fail(Kind::invalid_shape, owner.file_offset, "an extent or stride is no integer of 64 bits");
    }
    shape.push_back(item.integer);
  }
  return shape;
}

}  // namespace dformer::io
