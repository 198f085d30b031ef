#pragma once

#include <array>
#include <cstddef>

#include <dformer/core/random.hpp>
#include <dformer/data/scene/class_set.hpp>
#include <dformer/data/scene/furnisher.hpp>

namespace dformer::scene {

/// A room of random size, use, furniture and light. Only furniture of `classes` is built; lamps, boxes and
/// plants always are, and are labelled `ignored` where the set has no class for them.
inline Room make_room(RandomStream& random, const ClassSet& classes) {
  Furnisher room(random, classes,
                 {random.uniform(3.2f, 5.8f), random.uniform(3.2f, 5.6f), random.uniform(2.35f, 2.8f)});
  room.add_doors();
  room.add_windows();
  switch (random.below(4)) {
    case 0:  // to sleep in
      room.add_at_wall(bed);
      room.add_at_wall(night_stand);
      room.add_at_wall(cabinet);
      if (random.chance(0.4f)) room.add_at_wall(bed);
      room.add_at_wall(desk);
      break;
    case 1:  // to sit in
      room.add_at_wall(sofa);
      room.add_anywhere(coffee_table, 0.2f);
      room.add_at_wall(bookshelf);
      room.add_television();
      if (random.chance(0.6f)) room.add_at_wall(sofa);
      break;
    case 2:  // to work in
      room.add_at_wall(desk);
      room.add_whiteboard();
      room.add_at_wall(table);
      room.add_anywhere(chair, 0.8f);
      room.add_at_wall(bookshelf);
      room.add_anywhere(chair, 0.8f);
      break;
    default:  // to eat in
      room.add_anywhere(dining_group, 0.1f);
      room.add_at_wall(cabinet);
      break;
  }
  // Anything may stand in any room, which keeps the place of a piece from telling what it is.
  constexpr std::array<const Furniture*, 6> more{&bed, &sofa, &cabinet, &bookshelf, &sofa, &bed};
  const int pieces = random.between(2, 4);
  for (int i = 0; i < pieces; ++i)
    room.add_at_wall(*more[static_cast<std::size_t>(random.below(more.size()))]);
  for (int chairs = random.between(0, 2); chairs > 0; --chairs) room.add_anywhere(chair, 0.8f);
  if (random.chance(0.5f)) room.add_at_wall(floor_lamp);
  if (random.chance(0.35f)) room.add_at_wall(plant);
  if (random.chance(0.35f)) room.add_anywhere(cartons, 0.7f);
  if (random.chance(0.5f)) room.add_mat();
  room.add_pictures();
  room.add_ceiling_lamp();
  return room.finish();
}

}  // namespace dformer::scene
