#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dformer/data/hole_policy.hpp>
#include <dformer/data/label_numbering.hpp>
#include <dformer/eval/metrics.hpp>
#include <dformer/models/dataset.hpp>
#include <dformer/train/parameter_groups.hpp>
#include <dformer/train/schedule.hpp>

/// The words by which recipes name what is chosen of a few.
namespace dformer {

/// Where a data set keeps its images: `nyu_depth_v2_layout` and its like. One of one's own has the first.
enum class RecipeLayout { nyu_depth_v2, sunrgbd, asymformer, custom };

enum class RecipeOptimizer { adamw, sgd };

/// After which epochs a network is scored.
enum class EvaluationEpochs {
  official,  ///< the first, every tenth, each after `checkpoint_start`, and the last
  every,     ///< each whose number `interval` divides, and the last
  last,
  never,
};

/// `RecipeWords<E>::all`: pairs of a value and its word.
template <class E>
struct RecipeWords;

template <class E>
concept HasRecipeWords = requires {
  RecipeWords<E>::all;
};

template <>
struct RecipeWords<OfficialDataset> {
  static constexpr std::pair<OfficialDataset, std::string_view> all[]{
      {OfficialDataset::nyu_depth_v2, "nyudepthv2"}, {OfficialDataset::sunrgbd, "sunrgbd"}};
};
template <>
struct RecipeWords<RecipeLayout> {
  static constexpr std::pair<RecipeLayout, std::string_view> all[]{{RecipeLayout::nyu_depth_v2, "nyudepthv2"},
                                                                   {RecipeLayout::sunrgbd, "sunrgbd"},
                                                                   {RecipeLayout::asymformer, "asymformer"},
                                                                   {RecipeLayout::custom, "custom"}};
};
template <>
struct RecipeWords<RecipeOptimizer> {
  static constexpr std::pair<RecipeOptimizer, std::string_view> all[]{{RecipeOptimizer::adamw, "adamw"},
                                                                      {RecipeOptimizer::sgd, "sgd"}};
};
template <>
struct RecipeWords<EvaluationEpochs> {
  static constexpr std::pair<EvaluationEpochs, std::string_view> all[]{
      {EvaluationEpochs::official, "official"},
      {EvaluationEpochs::every, "every"},
      {EvaluationEpochs::last, "last"},
      {EvaluationEpochs::never, "never"}};
};
template <>
struct RecipeWords<LabelNumbering> {
  static constexpr std::pair<LabelNumbering, std::string_view> all[]{
      {LabelNumbering::from_one, "from_one"}, {LabelNumbering::from_zero, "from_zero"}};
};
template <>
struct RecipeWords<HolePolicy> {
  static constexpr std::pair<HolePolicy, std::string_view> all[]{{HolePolicy::keep, "keep"},
                                                                 {HolePolicy::as_near, "near"},
                                                                 {HolePolicy::as_far, "far"},
                                                                 {HolePolicy::fill, "fill"}};
};
template <>
struct RecipeWords<ParameterPolicy> {
  static constexpr std::pair<ParameterPolicy, std::string_view> all[]{
      {ParameterPolicy::official, "official"},
      {ParameterPolicy::full, "full"},
      {ParameterPolicy::full_decay, "full_decay"}};
};
template <>
struct RecipeWords<LrUpdate> {
  static constexpr std::pair<LrUpdate, std::string_view> all[]{{LrUpdate::after_step, "after_step"},
                                                               {LrUpdate::before_step, "before_step"}};
};
template <>
struct RecipeWords<AbsentClasses> {
  static constexpr std::pair<AbsentClasses, std::string_view> all[]{{AbsentClasses::official, "official"},
                                                                    {AbsentClasses::standard, "standard"}};
};

template <HasRecipeWords E>
constexpr std::string_view recipe_word(E value) {
  for (const auto& [each, word] : RecipeWords<E>::all) {
    if (each == value) return word;
  }
  return "?";
}

/// Empty for a word that none of the values has.
template <HasRecipeWords E>
constexpr std::optional<E> recipe_value(std::string_view word) {
  for (const auto& [value, each] : RecipeWords<E>::all) {
    if (each == word) return value;
  }
  return std::nullopt;
}

/// "adamw or sgd", for messages.
template <HasRecipeWords E>
std::string recipe_words() {
  std::string text;
  constexpr std::size_t count = std::size(RecipeWords<E>::all);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += i + 1 == count ? " or " : ", ";
    text += RecipeWords<E>::all[i].second;
  }
  return text;
}

}  // namespace dformer
