#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dformer/core/color_order.hpp>
#include <dformer/core/depth_input.hpp>
#include <dformer/models/conventions.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

/// A segmentation network whose type is chosen at run time. What takes a network (`load`, `initialize`,
/// `segment`) takes one of these as well.
template <class B>
class AnySegmenter {
 public:
  using Backend = B;
  using Tensor = typename B::Tensor;
  using Labels = typename B::Labels;

  virtual ~AnySegmenter() = default;
  AnySegmenter(const AnySegmenter&) = delete;
  AnySegmenter& operator=(const AnySegmenter&) = delete;

  const std::string name;
  const int num_classes;
  const Conventions conventions;
  const ColorOrder color_order = conventions.color_order;
  const DepthInput depth_input = conventions.depth_input;

  /// As those of Segmenter.
  virtual Tensor operator()(const Tensor& rgb, const Tensor& depth) const = 0;
  virtual Labels labels(const Tensor& rgb, const Tensor& depth) const = 0;

  /// As those of Segmenter. Throws: ArgumentError also for more than 0 where the network has no such thing.
  virtual void set_drop_path(float rate) = 0;
  virtual void set_dropout(float p) = 0;

  virtual std::vector<Named<Parameter<B>>> parameters() = 0;
  virtual std::vector<Named<const Parameter<B>>> parameters() const = 0;

 protected:
  AnySegmenter(std::string_view network_name, int classes, const Conventions& publisher_conventions)
      : name(network_name), num_classes(classes), conventions(publisher_conventions) {}
  AnySegmenter(std::string_view network_name, int classes, ColorOrder order)
      : AnySegmenter(network_name, classes, Conventions{.color_order = order}) {}
};

template <class B>
std::vector<Named<Parameter<B>>> parameters(AnySegmenter<B>& network) {
  return network.parameters();
}
template <class B>
std::vector<Named<const Parameter<B>>> parameters(const AnySegmenter<B>& network) {
  return network.parameters();
}

/// The same around a network of a given type.
template <class Network>
class SegmenterHolder final : public AnySegmenter<typename Network::Backend> {
 public:
  using Backend = typename Network::Backend;
  using Tensor = typename Backend::Tensor;
  using Labels = typename Backend::Labels;

  explicit SegmenterHolder(std::string_view network_name)
      : AnySegmenter<Backend>(network_name, Network::num_classes, conventions_of_type()) {}
  /// Where its number of classes is given when it is made. Throws: ArgumentError unless that is 2 to 255.
  SegmenterHolder(std::string_view network_name, int classes)
      : AnySegmenter<Backend>(network_name, classes, conventions_of_type()), network_(classes) {}

  Tensor operator()(const Tensor& rgb, const Tensor& depth) const override { return network_(rgb, depth); }
  Labels labels(const Tensor& rgb, const Tensor& depth) const override { return network_.labels(rgb, depth); }
  void set_drop_path(float rate) override {
    if constexpr (requires { network_.set_drop_path(rate); }) {
      network_.set_drop_path(rate);
    } else if (rate != 0.0f) {
      throw_argument_error("[set_drop_path] the backbone of " + this->name + " has no drop path");
    }
  }
  void set_dropout(float p) override {
    if constexpr (requires { network_.set_dropout(p); }) {
      network_.set_dropout(p);
    } else if (p != 0.0f) {
      throw_argument_error("[set_dropout] the decode head of " + this->name + " has no dropout");
    }
  }
  std::vector<Named<Parameter<Backend>>> parameters() override { return dformer::parameters(network_); }
  std::vector<Named<const Parameter<Backend>>> parameters() const override {
    return dformer::parameters(network_);
  }

  const Network& network() const { return network_; }

 private:
  static Conventions conventions_of_type() {
    if constexpr (requires { Network::conventions; }) {
      return Network::conventions;
    } else {
      return {.color_order = Network::color_order};
    }
  }

  Network network_;
};

}  // namespace dformer
