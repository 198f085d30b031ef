#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/data/scene/finishes.hpp>
#include <dformer/data/scene/furniture.hpp>

namespace dformer::scene {

/// Upright books from `left` to `right` on a board at height `z`, with gaps and leaning ones.
inline void build_books(Assembly& piece, float left, float right, float z, float room_above, float depth) {
  RandomStream& random = piece.random;
  piece.begin_label(nyu_class("books"));
  float x = left + 0.005f;
  while (x < right - 0.06f) {
    if (random.chance(0.08f)) {
      x += random.uniform(0.05f, 0.2f);
      continue;
    }
    // A few volumes of one edition are one body, which is how they look from across a room.
    const float width = std::min(random.uniform(0.025f, 0.09f), right - x);
    const float height = room_above * random.uniform(0.6f, 0.93f);
    const std::uint32_t cover = piece.add(random_cloth(random));
    const float back = random.uniform(0.02f, 0.07f);
    const float front = depth - random.uniform(0.03f, 0.09f);
    piece.box({x, back, z}, {x + width - 0.003f, front, z + height}, cover);
    x += width;
  }
  piece.end_label();
}

/// Open shelves with books and a few things between them.
inline void build_bookshelf(Assembly& piece, Extent extent) {
  RandomStream& random = piece.random;
  const float w = extent.x / 2;
  const float board = 0.03f;
  const std::uint32_t wood = piece.add(random_furniture(random));
  piece.box({-w, 0, 0}, {w, 0.015f, extent.z}, wood);
  const int columns = extent.x > 1.2f ? 2 : 1;
  for (int side = 0; side <= columns; ++side) {
    const float x = -w + (extent.x - board) * static_cast<float>(side) / static_cast<float>(columns);
    piece.box({x, 0, 0}, {x + board, extent.y, extent.z}, wood);
  }
  const int rows = std::max(2, static_cast<int>(extent.z / random.uniform(0.3f, 0.42f)));
  const float pitch = (extent.z - board - 0.06f) / static_cast<float>(rows);
  const float column = extent.x / static_cast<float>(columns);
  for (int row = 0; row <= rows; ++row) {
    const float z = 0.06f + pitch * static_cast<float>(row);
    piece.box({-w, 0, z}, {w, extent.y - 0.002f, z + board}, wood);
    if (row == rows) break;
    for (int c = 0; c < columns; ++c) {
      const float left = -w + column * static_cast<float>(c) + board;
      const float right = left + column - 2 * board;
      const float kind = random.uniform();
      if (kind < 0.72f) {
        build_books(piece, left, kind < 0.5f ? right : left + (right - left) * random.uniform(0.3f, 0.8f),
                    z + board, pitch - board, extent.y);
      } else if (kind < 0.88f) {
        const std::uint32_t thing = piece.add(random_paint(random));
        const float size = std::min(pitch, right - left) * random.uniform(0.25f, 0.4f);
        piece.cylinder({(left + right) / 2, extent.y / 2, z + board}, std::min(size, extent.y * 0.4f),
                       size * 1.5f, thing, random.uniform(0.5f, 1.4f));
      }
    }
  }
}

/// Closed: a body with doors or drawers and their handles. Wardrobes, sideboards and chests of drawers.
inline void build_cabinet(Assembly& piece, Extent extent) {
  RandomStream& random = piece.random;
  const float w = extent.x / 2;
  const float foot = random.uniform(0.03f, 0.1f);
  const std::uint32_t body = piece.add(random_furniture(random));
  const std::uint32_t front = random.chance(0.65f) ? body : piece.add(random_furniture(random));
  const std::uint32_t handle = piece.add(random_metal(random));
  piece.box({-w, 0, foot}, {w, extent.y - 0.02f, extent.z}, body);
  piece.box({-w + 0.03f, 0.03f, 0}, {w - 0.03f, extent.y - 0.06f, foot}, body);
  piece.box({-w - 0.01f, 0, extent.z - 0.03f}, {w + 0.01f, extent.y + 0.015f, extent.z}, body);
  const bool drawers = extent.z < 1.3f && random.chance(0.55f);
  const int columns = std::max(1, static_cast<int>(extent.x / random.uniform(0.42f, 0.6f)));
  const int rows = drawers ? std::max(2, static_cast<int>(extent.z / 0.26f)) : (extent.z > 1.7f ? 2 : 1);
  const float height = extent.z - foot - 0.04f;
  for (int c = 0; c < columns; ++c) {
    for (int r = 0; r < rows; ++r) {
      const float x0 = -w + extent.x * static_cast<float>(c) / static_cast<float>(columns) + 0.006f;
      const float x1 = -w + extent.x * static_cast<float>(c + 1) / static_cast<float>(columns) - 0.006f;
      const float z0 = foot + height * static_cast<float>(r) / static_cast<float>(rows) + 0.006f;
      const float z1 = foot + height * static_cast<float>(r + 1) / static_cast<float>(rows) - 0.006f;
      piece.box({x0, extent.y - 0.02f, z0}, {x1, extent.y, z1}, front);
      if (drawers) {
        const float x = (x0 + x1) / 2;
        piece.box({x - 0.06f, extent.y, z1 - 0.08f}, {x + 0.06f, extent.y + 0.025f, z1 - 0.06f}, handle);
      } else {
        const float x = c % 2 == 0 ? x1 - 0.05f : x0 + 0.05f;
        const float z = std::clamp(1.0f, z0 + 0.12f, std::max(z0 + 0.12f, z1 - 0.12f));
        piece.box({x - 0.01f, extent.y, z - 0.07f}, {x + 0.01f, extent.y + 0.03f, z + 0.07f}, handle);
      }
    }
  }
}

inline Extent draw_cabinet_extent(RandomStream& random) {
  if (random.chance(0.45f))  // a wardrobe
    return {random.uniform(0.9f, 1.8f), random.uniform(0.5f, 0.62f), random.uniform(1.75f, 2.2f)};
  return {random.uniform(0.8f, 1.7f), random.uniform(0.38f, 0.52f), random.uniform(0.65f, 1.15f)};
}

inline constexpr Furniture cabinet{nyu_class("cabinet"), draw_cabinet_extent, build_cabinet};

inline constexpr Furniture bookshelf{
    nyu_class("bookshelf"),
    [](RandomStream& random) {
      return Extent{random.uniform(0.8f, 1.8f), random.uniform(0.26f, 0.38f), random.uniform(1.2f, 2.2f)};
    },
    build_bookshelf};

inline constexpr Furniture night_stand{
    nyu_class("night stand"),
    [](RandomStream& random) {
      return Extent{random.uniform(0.38f, 0.5f), random.uniform(0.35f, 0.42f), random.uniform(0.45f, 0.62f)};
    },
    build_cabinet};

}  // namespace dformer::scene
