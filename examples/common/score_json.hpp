#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "json.hpp"
#include <dformer/data/classes.hpp>
#include <dformer/eval/score.hpp>

namespace dformer::programs {

inline Json to_json(const Protocol& protocol) {
  Json json{{"scales", protocol.scales},
            {"size_multiple", protocol.size_multiple},
            {"flip", protocol.flip},
            {"sliding", nullptr},
            {"padded_size", nullptr},
            {"color_order", protocol.color_order == ColorOrder::bgr ? "BGR" : "RGB"},
            {"depth", protocol.depth_input == DepthInput::greys ? "greys" : "metres"},
            {"absent_classes", std::string(to_string(protocol.absent))},
            {"head_norm_eps", std::stod(number_text(static_cast<double>(protocol.head_norm_eps)))},
            {"bases_seed", nullptr},
            {"text", to_string(protocol)}};
  if (const auto& window = protocol.sliding) {
    json["sliding"] = {{"window", {window->height, window->width}},
                       {"stride", {window->stride_height, window->stride_width}}};
  }
  if (const auto& size = protocol.padded_size) json["padded_size"] = {size->height, size->width};
  if (protocol.bases_seed) json["bases_seed"] = *protocol.bases_seed;
  return json;
}

/// Shares 0 … 1; null for 0 / 0.
inline Json share_json(double share) {
  return std::isnan(share) ? Json(nullptr) : Json(share);
}

/// Scores by the protocol's convention for absent classes, the mean IoU by the other one too, every class,
/// and the protocol.
inline Json to_json(const Score& score, const ClassList& classes) {
  const Metrics metrics = score.metrics();
  const auto miou = [&](AbsentClasses absent) { return share_json(class_mean(metrics.iou, absent)); };
  Json each = Json::array();
  for (std::size_t k = 0; k < metrics.iou.size(); ++k) {
    each.push_back({{"index", k},
                    {"name", classes.name(k)},
                    {"iou", share_json(metrics.iou[k])},
                    {"accuracy", share_json(metrics.accuracy[k])},
                    {"f1", share_json(metrics.f1[k])},
                    {"pixels", score.confusion.truth_count(static_cast<int>(k))},
                    {"predicted_pixels", score.confusion.predicted_count(static_cast<int>(k))}});
  }
  return {{"dataset", score.dataset},
          {"images", score.images},
          {"protocol", to_json(score.protocol)},
          {"miou", share_json(metrics.miou)},
          {"macc", share_json(metrics.macc)},
          {"mf1", share_json(metrics.mf1)},
          {"aacc", share_json(metrics.aacc)},
          {"fwiou", share_json(metrics.fwiou)},
          {"miou_by_convention",
           {{"official", miou(AbsentClasses::official)}, {"standard", miou(AbsentClasses::standard)}}},
          {"classes", each}};
}

}  // namespace dformer::programs
