#pragma once

#include <string>

#include <dformer/backend/concept.hpp>
#include <dformer/heads/class_count.hpp>
#include <dformer/models/conventions.hpp>
#include <dformer/nn/dropout.hpp>
#include <dformer/nn/initialize.hpp>
#include <dformer/nn/visit.hpp>
#include <dformer/stages/features.hpp>

namespace dformer {

/// A backbone and a decode head: what DFormer calls a segmentation network. Any backbone that gives Features
/// and any head that takes them make one.
///
///     Segmenter<Cpu<>, DFormer<Cpu<>, dformer_tiny>, MlpHead<Cpu<>, 32, 64, 128, 256, 5>> net;
///
/// `num_classes` is that of the head. One of any_classes is given it when it is made: `net(5)`. Parameters:
/// backbone, decode_head, unless the conventions name them otherwise.
template <class B, class BackboneType, class HeadType,
          const Conventions& publisher_conventions = dformer_conventions<>>
struct Segmenter : ClassCount<classes_of_type<HeadType>> {
  using Backend = B;
  using Tensor = typename B::Tensor;
  using Labels = typename B::Labels;
  static constexpr const Conventions& conventions = publisher_conventions;
  static constexpr ColorOrder color_order = conventions.color_order;
  static constexpr DepthInput depth_input = conventions.depth_input;
  static_assert(classes_of_type<HeadType> == any_classes ||
                    (classes_of_type<HeadType> >= 2 && classes_of_type<HeadType> <= 255),
                "Segmenter: num_classes must be 2 to 255; a label is one byte and 255 means ignored");

  BackboneType backbone;
  HeadType decode_head;

  Segmenter() = default;
  /// Throws: ArgumentError unless the number of classes is 2 to 255.
  explicit Segmenter(int classes) requires(classes_of_type<HeadType> == any_classes)
      : ClassCount<any_classes>(classes), decode_head(classes) {}

  /// Class scores before the last upsampling.
  /// Shapes: rgb [N, H, W, 3], depth [N, H, W, 1], normalised -> [N, h, w, num_classes], h and w decided by
  /// the head. Throws: ShapeError; UnsetParameterError before load() or initialize().
  Tensor operator()(const Tensor& rgb, const Tensor& depth) const {
    try {
      return decode_head(backbone(rgb, depth));
    } catch (const UnsetParameterError&) {
      throw_unset();
    }
  }

  /// The class of every pixel: the scores resized to the input and the best taken, in one pass. [N, H, W].
  Labels labels(const Tensor& rgb, const Tensor& depth) const {
    return B::resize_argmax((*this)(rgb, depth), rgb.shape()[1], rgb.shape()[2]);
  }

  /// Stochastic depth while the network trains: the probability with which a sample passes a block by, rising
  /// over the blocks from 0 to `rate`. Throws: ArgumentError unless 0 <= rate < 1.
  void set_drop_path(float rate) requires requires(BackboneType& b) { b.set_drop_path(rate); }
  { backbone.set_drop_path(require_drop_probability("set_drop_path", rate)); }

  /// The probability with which the head leaves out a channel before it classifies, while the network trains.
  /// Throws: ArgumentError unless 0 <= p < 1.
  void set_dropout(float p) requires requires(HeadType& head) { head.dropout.p = p; }
  { decode_head.dropout.p = require_drop_probability("set_dropout", p); }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(conventions.backbone, self.backbone);
    visitor(conventions.decode_head, self.decode_head);
  }

 private:
  [[noreturn, gnu::cold, gnu::noinline]] void throw_unset() const {
    std::string first;
    int count = 0;
    for (const auto& [name, parameter] : parameters(*this)) {
      if (parameter->kind() == ParameterKind::counter || parameter->has_value()) continue;
      if (count++ == 0) first = name;
    }
    throw UnsetParameterError("[network] " + std::to_string(count) +
                              " parameters have no value, the first of them " + first +
                              "; call load(net, path) or initialize(net, seed) first");
  }
};

}  // namespace dformer
