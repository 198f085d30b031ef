#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include <dformer/core/error.hpp>
#include <dformer/fwd.hpp>
#include <dformer/models/any_segmenter.hpp>
#include <dformer/models/variants.hpp>

namespace dformer {

inline constexpr std::array<std::string_view, 7> model_names{"DFormer_Tiny",  "DFormer_Small", "DFormer_Base",
                                                             "DFormer_Large", "DFormerv2_S",   "DFormerv2_B",
                                                             "DFormerv2_L"};

template <class B>
using SegmenterPointer = std::unique_ptr<AnySegmenter<B>>;

namespace detail {

/// One variant with the classes of either published data set. Everything of its networks is compiled where
/// this function is, and nowhere else.
template <class B, template <class, class> class Variant>
SegmenterPointer<B> make_variant(std::string_view model, int num_classes) {
  if (num_classes == NYUDepthv2::num_classes)
    return std::make_unique<SegmenterHolder<Variant<B, NYUDepthv2>>>(model);
  if (num_classes == SUNRGBD::num_classes)
    return std::make_unique<SegmenterHolder<Variant<B, SUNRGBD>>>(model);
  throw_argument_error(
      "[zoo] the published variants have 40 (NYUDepthv2) or 37 (SUNRGBD) classes, asked for " +
      std::to_string(num_classes) + "; compose a Segmenter with a data set type of your own");
}

}  // namespace detail

/// The published variant of that name (`model_names`) with as many classes as a published data set has: 40
/// (NYUDepthv2) or 37 (SUNRGBD). For another number compose the type and hold it in a SegmenterHolder.
/// Programs that call this for Cpu<> or Count should link dformer::models, or they compile fourteen networks.
/// Throws: ArgumentError.
template <class B>
SegmenterPointer<B> make_segmenter(std::string_view model, int num_classes = NYUDepthv2::num_classes) {
  using detail::make_variant;
  if (model == "DFormer_Tiny") return make_variant<B, DFormer_Tiny>(model, num_classes);
  if (model == "DFormer_Small") return make_variant<B, DFormer_Small>(model, num_classes);
  if (model == "DFormer_Base") return make_variant<B, DFormer_Base>(model, num_classes);
  if (model == "DFormer_Large") return make_variant<B, DFormer_Large>(model, num_classes);
  if (model == "DFormerv2_S") return make_variant<B, DFormerv2_S>(model, num_classes);
  if (model == "DFormerv2_B") return make_variant<B, DFormerv2_B>(model, num_classes);
  if (model == "DFormerv2_L") return make_variant<B, DFormerv2_L>(model, num_classes);
  std::string text = "[zoo] no model is named '" + std::string(model) + "'; there are";
  for (std::string_view name : model_names) (text += ' ') += name;
  throw_argument_error(text);
}

#if defined(DFORMER_PRECOMPILED_MODELS)
// dformer::models holds these.
struct Count;
namespace detail {
extern template SegmenterPointer<Cpu<>> make_variant<Cpu<>, DFormer_Tiny>(std::string_view, int);
extern template SegmenterPointer<Cpu<>> make_variant<Cpu<>, DFormer_Small>(std::string_view, int);
extern template SegmenterPointer<Cpu<>> make_variant<Cpu<>, DFormer_Base>(std::string_view, int);
extern template SegmenterPointer<Cpu<>> make_variant<Cpu<>, DFormer_Large>(std::string_view, int);
extern template SegmenterPointer<Cpu<>> make_variant<Cpu<>, DFormerv2_S>(std::string_view, int);
extern template SegmenterPointer<Cpu<>> make_variant<Cpu<>, DFormerv2_B>(std::string_view, int);
extern template SegmenterPointer<Cpu<>> make_variant<Cpu<>, DFormerv2_L>(std::string_view, int);
extern template SegmenterPointer<Count> make_variant<Count, DFormer_Tiny>(std::string_view, int);
extern template SegmenterPointer<Count> make_variant<Count, DFormer_Small>(std::string_view, int);
extern template SegmenterPointer<Count> make_variant<Count, DFormer_Base>(std::string_view, int);
extern template SegmenterPointer<Count> make_variant<Count, DFormer_Large>(std::string_view, int);
extern template SegmenterPointer<Count> make_variant<Count, DFormerv2_S>(std::string_view, int);
extern template SegmenterPointer<Count> make_variant<Count, DFormerv2_B>(std::string_view, int);
extern template SegmenterPointer<Count> make_variant<Count, DFormerv2_L>(std::string_view, int);
}  // namespace detail
#endif

}  // namespace dformer
