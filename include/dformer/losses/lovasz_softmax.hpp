#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <dformer/losses/lovasz_extension.hpp>
#include <dformer/losses/on_host.hpp>
#include <dformer/losses/softmax_rows.hpp>

namespace dformer {

enum class LovaszClasses : std::uint8_t {
  present,  ///< those that the labels have
  all,
};

/// Lovász-Softmax (Berman et al., CVPR 2018): for each class a surrogate of 1 - IoU, the extension of the
/// Jaccard loss at |truth - probability|, and the mean of those. Sorts the pixels once for each class.
template <class B>
struct LovaszSoftmax {
  using Backend = B;
  using Tensor = typename B::Tensor;

  LovaszClasses classes = LovaszClasses::present;
  std::vector<int> only{};            ///< the mean of these classes instead, present or not
  bool per_image = false;             ///< the mean over images, instead of all pixels of the batch as one set
  std::vector<float> class_weight{};  ///< one for each class, not in the mean's divisor; empty: 1
  int ignore_index = 255;

  /// Throws: ArgumentError also for a class in `only` that is none, or there twice.
  LossValue<Tensor> operator()(const Tensor& logits, const LabelMap& labels,
                               double gradient_scale = 1.0) const {
    detail::require_label_shape("lovasz_softmax", logits.shape(), labels);
    detail::require_labels("lovasz_softmax", labels, logits.shape()[3], ignore_index);
    detail::require_class_weight("lovasz_softmax", class_weight, logits.shape()[3]);
    for (int k : only) {
      if (k >= 0 && k < logits.shape()[3] && std::count(only.begin(), only.end(), k) == 1) continue;
      throw_argument_error("[lovasz_softmax] classes from 0 to " + std::to_string(logits.shape()[3] - 1) +
                           " expected in `only`, each once; got " + std::to_string(k));
    }
    return loss_on_host<B>(logits, labels.height, labels.width, gradient_scale,
                           [&](const HostScores& scores, const HostThreads& threads) {
                             return on_host(scores, labels, threads);
                           });
  }

 private:
  /// One class of one set of pixels.
  struct Task {
    std::size_t first;
    std::size_t size;
    std::size_t k;
    double weight;  // of its loss in the value
  };

  double on_host(const HostScores& scores, const LabelMap& labels, const HostThreads& threads) const {
    const PixelBlocks blocks{scores.images, scores.pixels};
    threads.for_each(blocks.count(), [&](std::int64_t block) {
      std::vector<double> p(static_cast<std::size_t>(scores.classes));
      for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
        detail::softmax_row(scores.row(i), p);
        std::transform(p.begin(), p.end(), scores.row(i).begin(),
                       [](double x) { return static_cast<float>(x); });
      }
    });
    const std::vector<Task> tasks = make_tasks(scores, labels);
    std::vector<double> losses(tasks.size());
    threads.for_each(static_cast<std::int64_t>(tasks.size()), [&](std::int64_t i) {
      losses[static_cast<std::size_t>(i)] = class_loss(scores, labels, tasks[static_cast<std::size_t>(i)]);
    });
    threads.for_each(blocks.count(), [&](std::int64_t block) {
      for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
        detail::softmax_backward_row(scores.row(i), scores.gradient_row(i));
      }
    });
    return std::accumulate(losses.begin(), losses.end(), 0.0);
  }

  std::vector<Task> make_tasks(const HostScores& scores, const LabelMap& labels) const {
    const std::int64_t sets = per_image ? scores.images : 1;
    const auto size = static_cast<std::size_t>(scores.images * scores.pixels / sets);
    std::vector<Task> tasks;
    for (std::size_t first = 0; first < labels.labels.size(); first += size) {
      std::array<bool, 256> present{};
      for (std::uint8_t label : labels.labels.subspan(first, size)) present[label] = true;
      std::vector<std::size_t> chosen(only.begin(), only.end());
      for (std::size_t k = 0; only.empty() && k < static_cast<std::size_t>(scores.classes); ++k) {
        const bool is_there = present[std::min(k, present.size() - 1)] && static_cast<int>(k) != ignore_index;
        if (classes == LovaszClasses::all || is_there) chosen.push_back(k);
      }
      const double share = 1.0 / static_cast<double>(chosen.size()) / static_cast<double>(sets);
      for (std::size_t k : chosen)
        tasks.push_back({first, size, k, share * detail::weight_of(class_weight, k)});
    }
    return tasks;
  }

  /// Leaves the derivatives with respect to the class's probabilities in the gradient.
  double class_loss(const HostScores& scores, const LabelMap& labels, const Task& task) const {
    const auto channels = static_cast<std::size_t>(scores.classes);
    const auto at = [&](std::size_t i) { return (task.first + i) * channels + task.k; };
    detail::LovaszExtension extension(task.size);
    for (std::size_t i = 0; i < task.size; ++i) {
      const int label = labels.labels[task.first + i];
      if (label == ignore_index) continue;
      const bool is_truth = label == static_cast<int>(task.k);
      const float p = scores.values[at(i)];
      extension.add(is_truth ? 1 - p : p, is_truth, static_cast<std::uint32_t>(i));
    }
    double loss = 0;
    extension.for_each([&](std::uint32_t index, bool is_truth, double weight) {
      const auto p = static_cast<double>(scores.values[at(index)]);
      loss += weight * (is_truth ? 1 - p : p);
      const double slope = task.weight * weight;
      scores.gradient[at(index)] = static_cast<float>(is_truth ? -slope : slope);
    });
    return task.weight * loss;
  }
};

}  // namespace dformer
