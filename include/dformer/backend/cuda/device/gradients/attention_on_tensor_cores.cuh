#pragma once

// The gradients of attention in half and bfloat16 on tensor cores, for the heads that attention itself takes
// there. Weights and gradients of scores are made in float32, and rounded to T for the products that they are
// factors of. What bounds them at heads of 16 channels is, as with attention, what is done for each score:
// it is made three times, some 20 instructions each.

#include <dformer/backend/cuda/device/gradients/attention_parts.cuh>
#include <dformer/backend/cuda/device/gradients/key_gradients_on_tensor_cores.cuh>
#include <dformer/backend/cuda/device/gradients/query_gradients_on_tensor_cores.cuh>

namespace dformer::cuda::device {

template <int Steps, template <class> class Scores, class T>
void launch_core_gradients(const char* name, const AttentionGradientArgs<T>& args, Stream stream) {
  using Tile = CoreTile<T, Steps, typename Scores<T>::Place>;
  const AttentionProblem<T>& problem = args.problem;
  const auto launch_rows = [&](void (*kernel)(CoreGradientArgs<T>), std::int64_t rows, std::int64_t parts,
                               std::int64_t columns, bool finds_statistics) {
    const int warps = core_warps(rows);
    const std::int64_t tiles = blocks_of(rows, warps * core_rows);
    const int tile_columns_of = Tile::columns_of(columns);
    launch(
        name, kernel,
        {tiles * parts * problem.all_sequences, warps * warp_size, Tile::bytes_of_column * tile_columns_of},
        stream, CoreGradientArgs<T>{args, static_cast<int>(tiles), tile_columns_of, finds_statistics});
  };
  const auto of_queries = [&](bool finds_statistics) {
    launch_rows(find_core_query_gradients<T, Steps, Scores>, problem.queries.length, args.parts,
                args.keys_per_part, finds_statistics);
  };
  of_queries(true);
  if (args.parts > 1) {
    launch_combine_statistics(name, args, stream);
    of_queries(false);
    launch_sum_query_gradients(name, args, stream);
  }
  launch_rows(find_core_key_gradients<T, Steps, Scores>, problem.keys.length, 1, problem.queries.length,
              false);
}

template <template <class> class Scores, class T>
void launch_gradients_on_tensor_cores(const char* name, const AttentionGradientArgs<T>& args, Stream stream) {
  switch ((args.problem.head_dim + 15) / 16) {
    case 1:
      return launch_core_gradients<1, Scores>(name, args, stream);
    case 2:
      return launch_core_gradients<2, Scores>(name, args, stream);
    case 3:
      return launch_core_gradients<3, Scores>(name, args, stream);
    default:
      return launch_core_gradients<4, Scores>(name, args, stream);
  }
}

}  // namespace dformer::cuda::device
