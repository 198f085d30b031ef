#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include <dformer/backend/weight_layout.hpp>
#include <dformer/core/error.hpp>
#include <dformer/core/shape.hpp>

namespace dformer {

enum class ParameterKind : std::uint8_t {
  trained,   ///< what an optimiser updates
  buffer,    ///< saved, not trained: running statistics, geometry tables
  counter,   ///< an integer that checkpoints carry (num_batches_tracked); no tensor stands behind it
  constant,  ///< decided by the layer, in no checkpoint: the starting bases of the Hamburger
};

/// A network was used before its parameters were set.
class UnsetParameterError : public Error {
 public:
  using Error::Error;
};

/// One named entry of a checkpoint. Its shape is fixed by the layer, in PyTorch's order of axes; its value is
/// set by loading or initialising and kept in the order that the backend wants for its use.
template <class B>
class Parameter {
 public:
  using Backend = B;
  using Tensor = typename B::Tensor;

  explicit Parameter(const Shape& shape, WeightLayout layout = WeightLayout::plain,
                     ParameterKind kind = ParameterKind::trained)
      : shape_(shape), layout_(layout), kind_(kind) {}

  const Shape& shape() const { return shape_; }
  WeightLayout layout() const { return layout_; }
  ParameterKind kind() const { return kind_; }
  bool has_value() const { return static_cast<bool>(value_); }

  /// Throws: UnsetParameterError.
  const Tensor& value() const {
    if (!value_) throw_unset(shape_);
    return value_;
  }
  /// A tensor made by B::weight_from_host with this parameter's shape and layout. Where B records gradients
  /// (Autodiff), that of a trained parameter is asked for.
  void set(Tensor value) {
    if constexpr (requires { B::leaf(value); }) {
      value_ = kind_ == ParameterKind::trained ? B::leaf(value) : std::move(value);
    } else {
      value_ = std::move(value);
    }
  }

  std::int64_t count() const { return count_; }
  void set_count(std::int64_t count) { count_ = count; }
  /// A forward pass of training counts itself, though it changes nothing else of the network.
  void increment() const { ++count_; }

  /// A buffer whose values follow from the layer alone has a function that writes them; null otherwise.
  using Table = void (*)(std::span<float> values);
  Table table() const { return table_; }
  void set_table(Table new_table) { table_ = new_table; }

 private:
  [[noreturn, gnu::cold, gnu::noinline]] static void throw_unset(const Shape& shape) {
    throw UnsetParameterError("a parameter of shape " + to_string(shape) +
                              " has no value; call load(net, path) or initialize(net, seed) first");
  }

  Shape shape_;
  WeightLayout layout_;
  ParameterKind kind_;
  mutable std::int64_t count_ = 0;
  Table table_ = nullptr;
  Tensor value_{};
};

template <class B>
Parameter<B> make_buffer(const Shape& shape, typename Parameter<B>::Table table = nullptr) {
  Parameter<B> buffer(shape, WeightLayout::plain, ParameterKind::buffer);
  buffer.set_table(table);
  return buffer;
}

template <class B>
Parameter<B> make_constant(const Shape& shape, typename Parameter<B>::Table table) {
  Parameter<B> constant(shape, WeightLayout::plain, ParameterKind::constant);
  constant.set_table(table);
  return constant;
}

/// Stands where a variant of a layer has no such child.
struct Absent {};

}  // namespace dformer
