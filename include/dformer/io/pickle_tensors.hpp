#pragma once

#include <optional>
#include <string>
#include <utility>

#include <dformer/io/numpy_array.hpp>
#include <dformer/io/pickle_source.hpp>
#include <dformer/io/tensor_record.hpp>
#include <dformer/io/torch_tensor.hpp>

namespace dformer::io {

/// The wrapper around a tensor that a Python object may be: torch.nn.Parameter or jittor.Var.
inline bool wraps_tensor(const PickleGlobal& callable) {
  return callable.is("torch._utils", "_rebuild_parameter") || callable.is("jittor", "Var") ||
         callable.is("jittor_core", "Var");
}

/// The value itself, or what it wraps.
inline const PickleValue& unwrap_tensor(const PickleSource& source, const PickleValue& value) {
  const PickleGlobal* callable = source.pickle.callable(value);
  if (callable == nullptr || !wraps_tensor(*callable)) return value;
  return source.arguments(source.pickle.object(value), 1)[0];
}

/// Whether read_tensor would try.
inline bool is_tensor(const PickleSource& source, const PickleValue& value) {
  const PickleGlobal* callable = source.pickle.callable(unwrap_tensor(source, value));
  return callable != nullptr && (TorchReader::is_tensor(*callable) || NumpyReader::is_array(*callable));
}

/// A tensor of a pickle, checked. `value` is one for which is_tensor holds.
/// Throws: CheckpointError.
inline TensorRecord read_tensor(const PickleSource& source, const PickleValue& value, std::string name) {
  const PickleValue& inner = unwrap_tensor(source, value);
  const PickleGlobal& callable = *source.pickle.callable(inner);
  const PickleObject& object = source.pickle.object(inner);
  if (TorchReader::is_tensor(callable)) return TorchReader(source).read(object, std::move(name));
  return NumpyReader(source).read(callable, object, std::move(name));
}

}  // namespace dformer::io
