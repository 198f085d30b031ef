#pragma once

#include <string_view>

#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/backend/observe.hpp>
#include <dformer/io/parity_fixture.hpp>
#include <dformer/models/zoo.hpp>

/// The networks of dformer_parity: every variant over a backend that shows what it computes. They take long
/// to compile: a source of its own for each backend, of dformer_parity_networks.inl.
namespace dformer::programs {

/// The variant of that name, as make_segmenter gives it.
template <class B>
SegmenterPointer<Observe<B>> make_observed(std::string_view model, int num_classes, OfficialDataset like);

/// The network that a fixture was recorded with. Throws: ArgumentError where there is no such type.
template <class B>
SegmenterPointer<Observe<B>> make_observed(const ParityFixture& fixture);

}  // namespace dformer::programs
