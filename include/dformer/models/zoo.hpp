#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include <dformer/core/error.hpp>
#include <dformer/fwd.hpp>
#include <dformer/models/any_segmenter.hpp>
#include <dformer/models/asymformer.hpp>
#include <dformer/models/variants.hpp>

namespace dformer {

inline constexpr std::array<std::string_view, 8> model_names{"DFormer_Tiny",  "DFormer_Small", "DFormer_Base",
                                                             "DFormer_Large", "DFormerv2_S",   "DFormerv2_B",
                                                             "DFormerv2_L",   "AsymFormer"};

template <class B>
using SegmenterPointer = std::unique_ptr<AnySegmenter<B>>;

namespace detail {

/// One variant with any number of classes. Everything of its networks is compiled where this function is, and
/// nowhere else: two types at most, for the official heads differ in width alone, and one backbone.
template <class B, template <class, class> class Variant>
SegmenterPointer<B> make_variant(std::string_view model, int num_classes, OfficialDataset like) {
  if (like == OfficialDataset::sunrgbd)
    return std::make_unique<SegmenterHolder<Variant<B, AnyClasses<SUNRGBD>>>>(model, num_classes);
  return std::make_unique<SegmenterHolder<Variant<B, AnyClasses<NYUDepthv2>>>>(model, num_classes);
}

}  // namespace detail

/// The published variant of that name (`model_names`) with 2 to 255 classes. The official configurations make
/// the decode head of DFormerv2 wider for SUNRGBD and give it colours in another order: `like` says which of
/// them the network follows, and a checkpoint must have been trained with the same.
/// Programs that call this should link dformer::models (Cpu<>, Count), dformer::training_models
/// (Autodiff<Cpu<>>) or dformer::onnx (Onnx), or they compile the eight networks.
/// Throws: ArgumentError.
template <class B>
SegmenterPointer<B> make_segmenter(std::string_view model, int num_classes, OfficialDataset like) {
  using detail::make_variant;
  if (model == "DFormer_Tiny") return make_variant<B, DFormer_Tiny>(model, num_classes, like);
  if (model == "DFormer_Small") return make_variant<B, DFormer_Small>(model, num_classes, like);
  if (model == "DFormer_Base") return make_variant<B, DFormer_Base>(model, num_classes, like);
  if (model == "DFormer_Large") return make_variant<B, DFormer_Large>(model, num_classes, like);
  if (model == "DFormerv2_S") return make_variant<B, DFormerv2_S>(model, num_classes, like);
  if (model == "DFormerv2_B") return make_variant<B, DFormerv2_B>(model, num_classes, like);
  if (model == "DFormerv2_L") return make_variant<B, DFormerv2_L>(model, num_classes, like);
  if (model == "AsymFormer") return make_variant<B, AsymFormer>(model, num_classes, like);
  std::string text = "[zoo] no model is named '" + std::string(model) + "'; there are";
  for (std::string_view name : model_names) (text += ' ') += name;
  throw_argument_error(text);
}

#if defined(DFORMER_PRECOMPILED_MODELS)
// dformer::models holds these.
struct Count;
extern template SegmenterPointer<Cpu<>> make_segmenter(std::string_view, int, OfficialDataset);
extern template SegmenterPointer<Count> make_segmenter(std::string_view, int, OfficialDataset);
#endif
#if defined(DFORMER_PRECOMPILED_ONNX)
// dformer::onnx holds this.
struct Onnx;
extern template SegmenterPointer<Onnx> make_segmenter(std::string_view, int, OfficialDataset);
#endif
#if defined(DFORMER_PRECOMPILED_TRAINING_MODELS)
// dformer::training_models holds this.
extern template SegmenterPointer<Autodiff<Cpu<>>> make_segmenter(std::string_view, int, OfficialDataset);
#endif

#if defined(DFORMER_PRECOMPILED_CUDA_MODELS)
// dformer::cuda_models holds these.
extern template SegmenterPointer<Cuda<float>> make_segmenter(std::string_view, int, OfficialDataset);
extern template SegmenterPointer<Cuda<half>> make_segmenter(std::string_view, int, OfficialDataset);
extern template SegmenterPointer<Cuda<bfloat16>> make_segmenter(std::string_view, int, OfficialDataset);
#endif

#if defined(DFORMER_PRECOMPILED_CUDA_TRAINING_MODELS)
// dformer::cuda_training_models holds these.
extern template SegmenterPointer<Autodiff<Cuda<float>>> make_segmenter(std::string_view, int,
                                                                       OfficialDataset);
extern template SegmenterPointer<Autodiff<Cuda<half>>> make_segmenter(std::string_view, int, OfficialDataset);
extern template SegmenterPointer<Autodiff<Cuda<bfloat16>>> make_segmenter(std::string_view, int,
                                                                          OfficialDataset);
#endif

/// The same as the official configuration for that number of classes has it: with 37 like SUNRGBD, with any
/// other number like NYUDepthv2.
template <class B>
SegmenterPointer<B> make_segmenter(std::string_view model, int num_classes = NYUDepthv2::num_classes) {
  return make_segmenter<B>(model, num_classes, official_dataset(num_classes));
}

}  // namespace dformer
