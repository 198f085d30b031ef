#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include <dformer/data/classes.hpp>
#include <dformer/eval/confusion_matrix.hpp>
#include <dformer/eval/metrics.hpp>
#include <dformer/eval/protocol.hpp>

namespace dformer {

/// The result of an evaluation, and all that must be known to obtain it again but the weights.
struct Score {
  std::string dataset;
  std::size_t images = 0;
  Protocol protocol;
  ConfusionMatrix confusion;

  Metrics metrics() const { return compute_metrics(confusion, protocol.absent); }
};

/// A table for the terminal: every class with its IoU, accuracy, F1 and share of the pixels, the means, and
/// the protocol below.
inline std::string table(const Score& score, const ClassList& classes) {
  const Metrics metrics = score.metrics();
  std::size_t width = 14;
  for (std::size_t k = 0; k < metrics.iou.size(); ++k) width = std::max(width, classes.name(k).size());
  std::string text;
  const auto row = [&](const std::string& name, const std::string& iou, const std::string& accuracy,
                       const std::string& f1, const std::string& share) {
    char cells[64];
    std::snprintf(cells, sizeof cells, " %8s %8s %8s %8s\n", iou.c_str(), accuracy.c_str(), f1.c_str(),
                  share.c_str());
    text += name + std::string(width - name.size(), ' ') + cells;
  };
  std::int64_t pixels = 0;
  for (int k = 0; k < score.confusion.num_classes(); ++k) pixels += score.confusion.truth_count(k);
  row("class", "IoU %", "acc %", "F1 %", "pixels %");
  for (std::size_t k = 0; k < metrics.iou.size(); ++k) {
    const auto truth = static_cast<double>(score.confusion.truth_count(static_cast<int>(k)));
    row(classes.name(k), percent_text(metrics.iou[k]), percent_text(metrics.accuracy[k]),
        percent_text(metrics.f1[k]), percent_text(truth / static_cast<double>(pixels)));
  }
  row("mean", percent_text(metrics.miou), percent_text(metrics.macc), percent_text(metrics.mf1), "");
  const std::string count = std::to_string(score.images) + (score.images == 1 ? " image" : " images");
  text += "\nmIoU " + percent_text(metrics.miou) + "  mAcc " + percent_text(metrics.macc) + "  mF1 " +
          percent_text(metrics.mf1) + "  aAcc " + percent_text(metrics.aacc) + "  FWIoU " +
          percent_text(metrics.fwiou) + "\n" + count + " of " + score.dataset +
          "\nprotocol: " + to_string(score.protocol) + "\n";
  return text;
}

/// The same as comma-separated values, a row for each class and one for each mean; shares 0 … 1, empty where
/// they are 0 / 0. The protocol is a comment in the first line.
inline std::string csv(const Score& score, const ClassList& classes) {
  const Metrics metrics = score.metrics();
  const auto cell = [](double value) {
    char text[32] = ",";
    if (!std::isnan(value)) std::snprintf(text, sizeof text, ",%.6f", value);
    return std::string(text);
  };
  const auto quoted = [](const std::string& name) {
    std::string text = "\"";
    for (char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
    return text + "\"";
  };
  std::string text = "# " + score.dataset + "; " + std::to_string(score.images) + " images; " +
                     to_string(score.protocol) + "\nclass,name,iou,accuracy,f1,pixels,predicted_pixels\n";
  for (std::size_t k = 0; k < metrics.iou.size(); ++k) {
    text += std::to_string(k) + "," + quoted(classes.name(k)) + cell(metrics.iou[k]) +
            cell(metrics.accuracy[k]) + cell(metrics.f1[k]) + "," +
            std::to_string(score.confusion.truth_count(static_cast<int>(k))) + "," +
            std::to_string(score.confusion.predicted_count(static_cast<int>(k))) + "\n";
  }
  text += "mean,\"mIoU, mAcc, mF1\"" + cell(metrics.miou) + cell(metrics.macc) + cell(metrics.mf1) + ",,\n";
  text += "pixels,\"FWIoU, aAcc\"" + cell(metrics.fwiou) + cell(metrics.aacc) + ",,,\n";
  return text;
}

}  // namespace dformer
