#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "dformer_parity_networks.hpp"
#include <dformer/heads/mlp_head.hpp>

namespace dformer::programs {

template <class Backend, class Backbone, int embed_dim = 512>
SegmenterPointer<Backend> with_mlp_head(const ParityFixture& fixture) {
  constexpr auto& channels = Backbone::feature_channels;
  using Head = MlpHead<Backend, channels[0], channels[1], channels[2], channels[3], any_classes, embed_dim>;
  return std::make_unique<SegmenterHolder<Segmenter<Backend, Backbone, Head>>>(fixture.model,
                                                                               fixture.num_classes);
}

/// Null for a name that is no variant's.
template <class B>
SegmenterPointer<B> make_mlp_network(const ParityFixture& fixture) {
  const std::string& model = fixture.model;
  if (model == "DFormer_Tiny") return with_mlp_head<B, DFormer<B, dformer_tiny>>(fixture);
  if (model == "DFormer_Small") return with_mlp_head<B, DFormer<B, dformer_small>>(fixture);
  if (model == "DFormer_Base") return with_mlp_head<B, DFormer<B, dformer_base>>(fixture);
  if (model == "DFormer_Large") return with_mlp_head<B, DFormer<B, dformer_large>>(fixture);
  if (model == "DFormerv2_S") return with_mlp_head<B, DFormerV2<B, dformer_v2_small>>(fixture);
  if (model == "DFormerv2_B") return with_mlp_head<B, DFormerV2<B, dformer_v2_base>>(fixture);
  if (model == "DFormerv2_L") return with_mlp_head<B, DFormerV2<B, dformer_v2_large>, 1024>(fixture);
  return nullptr;
}

template <class B>
SegmenterPointer<Observe<B>> make_observed(std::string_view model, int num_classes, OfficialDataset like) {
  return make_segmenter<Observe<B>>(model, num_classes, like);
}

template <class B>
SegmenterPointer<Observe<B>> make_observed(const ParityFixture& fixture) {
  if (fixture.decoder == "ham")
    return make_observed<B>(fixture.model, fixture.num_classes, official_dataset(fixture.num_classes));
  if (fixture.decoder == "MLPDecoder") {
    if (auto network = make_mlp_network<Observe<B>>(fixture)) return network;
  }
  throw_argument_error("[dformer_parity] no type here for " + fixture.model + " with decoder " +
                       fixture.decoder +
                       "; there are the seven of DFormer, with 'ham' and with 'MLPDecoder'");
}

}  // namespace dformer::programs
