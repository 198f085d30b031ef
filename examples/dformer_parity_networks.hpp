#pragma once

#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/backend/observe.hpp>
#include <dformer/io/parity_fixture.hpp>
#include <dformer/models/zoo.hpp>

namespace dformer::programs {

using ParityBackend = Observe<Cpu<>>;

/// The variant of that name, as make_segmenter gives it.
SegmenterPointer<ParityBackend> make_observed(std::string_view model, int num_classes, OfficialDataset like);

/// The network that a fixture was recorded with. Throws: ArgumentError where there is no such type.
SegmenterPointer<ParityBackend> make_observed(const ParityFixture& fixture);

}  // namespace dformer::programs
