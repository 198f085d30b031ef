#pragma once

#include <dformer/core/finding.hpp>

/// What `check_checkpoint` looks for.
namespace dformer::checkpoint_findings {

inline constexpr FindingKind unreadable{"unreadable_checkpoint", Severity::error,
                                        "the file cannot be read as a checkpoint",
                                        "do as the text says; a damaged file has to be fetched again"};
inline constexpr FindingKind unknown_network{"unknown_network", Severity::error,
                                             "the weights belong to none of the networks",
                                             "was it saved by another project, or is it only a part? A "
                                             "network of one's own is loaded by its own type"};
inline constexpr FindingKind missing_tensors{
    "missing_tensors", Severity::error, "tensors of the network are not in the file",
    "save the whole network; dformer_infer --non-strict leaves them at random values"};
inline constexpr FindingKind other_shapes{
    "other_shapes", Severity::error, "tensors have other shapes than those of the network",
    "is it the file of a variant of one's own? Such a network is loaded by its own type"};
inline constexpr FindingKind unused_tensors{
    "unused_tensors", Severity::warning, "tensors of the file have no place in the network",
    "loading is strict and refuses them; --non-strict leaves them out"};
inline constexpr FindingKind backbone_only{
    "backbone_only", Severity::note, "a backbone without a decode head",
    "start training from it with --pretrained; it cannot label images"};
inline constexpr FindingKind not_finite{
    "not_finite", Severity::error, "tensors hold numbers that are NaN or infinite",
    "the run that wrote it has diverged: take an earlier checkpoint, lower the learning rate"};
inline constexpr FindingKind negative_variance{"negative_variance", Severity::error,
                                               "running variances are negative",
                                               "the file is damaged or was averaged wrongly; fetch it again"};
inline constexpr FindingKind zero_variance{
    "zero_variance", Severity::warning, "running variances are 0",
    "those channels are dead; was the network trained on constant images?"};
inline constexpr FindingKind fresh_statistics{
    "fresh_statistics", Severity::warning, "running statistics are as they start, mean 0 and variance 1",
    "no image has passed in training: the network is untrained or was saved too early"};
inline constexpr FindingKind untrained_scales{
    "untrained_scales", Severity::warning, "layer scales are all 1e-6, as they start",
    "the blocks hardly do anything: start from pre-trained weights, or train with optimizer.parameters=full"};
inline constexpr FindingKind zero_weights{"zero_weights", Severity::warning, "weights are all 0",
                                          "was that layer saved before it was made?"};
inline constexpr FindingKind equal_weights{"equal_weights", Severity::warning,
                                           "weights are all the same number",
                                           "that layer was filled and never trained"};
inline constexpr FindingKind huge_weights{
    "huge_weights", Severity::warning, "weights are larger than 1000",
    "training was about to diverge; compare with an earlier checkpoint"};
inline constexpr FindingKind float16_overflow{"float16_overflow", Severity::warning,
                                              "numbers are beyond the range of float16, 65504",
                                              "keep these tensors in float32 or bfloat16 when converting"};

inline constexpr const FindingKind* all[] = {
    &unreadable,       &unknown_network, &missing_tensors,   &other_shapes,  &unused_tensors,
    &backbone_only,    &not_finite,      &negative_variance, &zero_variance, &fresh_statistics,
    &untrained_scales, &zero_weights,    &equal_weights,     &huge_weights,  &float16_overflow};

}  // namespace dformer::checkpoint_findings
