#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <dformer/backend/autodiff/autodiff.hpp>
#include <dformer/core/error.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

/// An exponential moving average of a network's trained parameters (Polyak and Juditsky, 1992), often a
/// better network than the last one. Buffers are not averaged: the average takes the network's.
template <class B>
class WeightAverage {
 public:
  using Inner = typename B::Inner;
  struct Entry {
    Named<Parameter<B>> parameter;
    typename Inner::Tensor average;
  };

  /// Starts from the parameters as they are. Throws: ArgumentError for a decay that is not from 0 to below 1;
  /// UnsetParameterError.
  template <class Network>
  WeightAverage(Network& network, double decay) : decay_(decay) {
    if (!(decay >= 0.0 && decay < 1.0)) {
      throw_argument_error("[ema] a decay from 0 to below 1 expected, got " + std::to_string(decay));
    }
    for (const auto& parameter : parameters(network)) {
      if (parameter.parameter->kind() != ParameterKind::trained) continue;
      entries_.push_back({parameter, {}});
    }
    restart();
  }

  double decay() const { return decay_; }
  const std::vector<Entry>& entries() const { return entries_; }

  /// Starts again from the parameters as they are now.
  void restart() {
    for (Entry& entry : entries_) {
      entry.average = Gradients<Inner>::scaled(entry.parameter.parameter->value().value(), 1.0f);
    }
  }
  /// One average for each entry.
  void set(std::vector<typename Inner::Tensor> averages) {
    for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].average = std::move(averages.at(i));
  }

  /// average = decay * average + (1 - decay) * parameter.
  void update() {
    std::vector<AverageUpdate<typename Inner::Tensor>> updates;
    for (const Entry& entry : entries_) {
      updates.push_back({entry.average, entry.parameter.parameter->value().value()});
    }
    Gradients<Inner>::average_to(std::span(updates), decay_);
  }

  /// Puts the averages into a network that infers and shares the rest with the one that trains.
  template <class Network>
  void share_into(Network& network) const {
    std::size_t next = 0;
    for (auto& [name, parameter] : parameters(network)) {
      if (parameter->kind() != ParameterKind::trained) continue;
      if (next == entries_.size() || entries_[next].parameter.name != name) {
        throw_argument_error("[ema] the averages are of another network: no average of " + name);
      }
      parameter->set(entries_[next++].average);
    }
  }

 private:
  double decay_;
  std::vector<Entry> entries_;
};

}  // namespace dformer
