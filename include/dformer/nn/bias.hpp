#pragma once

namespace dformer {

/// Whether a layer adds a bias to its sums.
enum class Bias : bool { without, with };

}  // namespace dformer
