#pragma once

#include <dformer/core/finding.hpp>

/// What `check_recipe` looks for, and what reading a recipe may meet.
namespace dformer::recipe_findings {

inline constexpr FindingKind unreadable_recipe{"unreadable_recipe", Severity::error,
                                               "the recipe cannot be read",
                                               "begin with one of examples/recipes, or --print-recipe"};
inline constexpr FindingKind unknown_setting{"unknown_setting", Severity::error, "there are no such settings",
                                             "correct the name; docs/training.md explains recipes"};
inline constexpr FindingKind invalid_setting{"invalid_setting", Severity::error,
                                             "settings have a value that cannot be",
                                             "correct the value; training refuses it"};
inline constexpr FindingKind holes_without_unit{
    "holes_without_unit", Severity::error, "depth pictures have no holes to choose a policy for",
    "set dataset.holes to keep, or dataset.depth_encoding to what the files hold"};
inline constexpr FindingKind no_data{"no_data", Severity::note, "the recipe names no data set",
                                     "give it with --data, here and when training"};

inline constexpr FindingKind warmup_too_long{"warmup_too_long", Severity::warning,
                                             "the learning rate never reaches its height",
                                             "let schedule.warmup_epochs be a small part of epochs"};
inline constexpr FindingKind learning_rate{"learning_rate", Severity::warning,
                                           "the learning rate is far from what works",
                                           "start from the official one, 6e-5 with adamw"};
inline constexpr FindingKind official_from_scratch{
    "official_from_scratch", Severity::warning,
    "parameters that the official optimiser leaves out keep random values",
    "give the file to start from with --checkpoint, or set optimizer.parameters to full"};
inline constexpr FindingKind single_image_batch{
    "single_image_batch", Severity::warning, "norms have the statistics of a single image",
    "use a batch of 2 or more with smaller crops; accumulate does not change the norms"};
inline constexpr FindingKind batch_exceeds_data{"batch_exceeds_data", Severity::warning,
                                                "a batch is larger than the training list",
                                                "lower batch_size: images repeat within a batch"};
inline constexpr FindingKind crop_exceeds_images{"crop_exceeds_images", Severity::warning,
                                                 "crops are larger than any scaled image",
                                                 "lower augmentation.crop: the rest of each crop is padding"};
inline constexpr FindingKind slow_average{"slow_average", Severity::warning,
                                          "averaged weights still remember the start at the end",
                                          "lower ema_decay or train longer"};
inline constexpr FindingKind other_like{
    "other_like", Severity::warning, "network and data set follow different official configurations",
    "set network.like to that of the data set: head width and colour order of DFormerv2 depend on it"};
inline constexpr FindingKind padding{
    "padding", Severity::warning, "scoring pads otherwise than the official protocol",
    "DFormerv2 on SUNRGBD is scored on 531x730, and nothing else is padded: evaluation.padded_size"};
inline constexpr FindingKind never_scored{"never_scored", Severity::note, "the network is not scored",
                                          "set evaluation.epochs; without a score no checkpoint is the best"};

inline constexpr FindingKind other_network{"other_network", Severity::error,
                                           "the checkpoint is of another network",
                                           "set model to the checkpoint's, or take another checkpoint"};
inline constexpr FindingKind other_classes{"other_classes", Severity::note,
                                           "the checkpoint has another number of classes",
                                           "nothing: the last layer starts anew with --load-from"};

inline constexpr const FindingKind* all[] = {&unreadable_recipe,
                                             &unknown_setting,
                                             &invalid_setting,
                                             &holes_without_unit,
                                             &no_data,
                                             &warmup_too_long,
                                             &learning_rate,
                                             &official_from_scratch,
                                             &single_image_batch,
                                             &batch_exceeds_data,
                                             &crop_exceeds_images,
                                             &slow_average,
                                             &other_like,
                                             &padding,
                                             &never_scored,
                                             &other_network,
                                             &other_classes};

}  // namespace dformer::recipe_findings
