// Included once for each instruction set by gradients/kernels.hpp.
//
// The resized logits are made and forgotten a pixel at a time, and so is their gradient, which is summed over
// the pixels between two columns before it goes to the gradients of those. Classes are padded to whole
// vectors with logits that no softmax sees.

/// What a task sums up. Of the logarithms of the softmax' denominators each class keeps the argument: a
/// product of hundreds of denominators, which are from 1 to 256, needs one logarithm.
struct CrossEntropySums {
  double loss;
  double denominators[256];
};

/// One row of the result: the logits above it, interpolated down to it, [width, padded classes], and where
/// the gradients of the input rows above and below are summed, alike.
template <class T>
struct CrossEntropyRow {
  const T* logits;
  T* above;
  T* below;
  T down;  ///< how far it is from the row above to that below
};

/// What is held of the pixels between two columns of the input, [padded classes] each.
template <class T>
struct CrossEntropyCell {
  static constexpr std::int64_t max_classes = CrossEntropyArgs<T>::max_classes;

  alignas(vector_bytes) T left[max_classes];             ///< logits at the left column
  alignas(vector_bytes) T slope[max_classes];            ///< how they grow to the right one
  alignas(vector_bytes) T logits[max_classes];           ///< of one pixel, then their exponentials
  alignas(vector_bytes) T gradients[max_classes];        ///< sums over the pixels
  alignas(vector_bytes) T right_gradients[max_classes];  ///< the right column's part of them
};

/// Adds a pixel of class `label` that lies `across` of the way from the left column to the right one.
template <class T>
DFORMER_ALWAYS_INLINE void cross_entropy_pixel(const CrossEntropyArgs<T>& args, CrossEntropyCell<T>& cell,
                                               std::int64_t padded, T across, std::int64_t label,
                                               CrossEntropySums& sums) {
  using V = Vec<T>;
  const V acrosses = V::broadcast(across);
  V tops = V::broadcast(-std::numeric_limits<T>::infinity());
  for (std::int64_t c = 0; c < padded; c += V::size) {
    const V logit = fma(acrosses, V::load(cell.slope + c), V::load(cell.left + c));
    logit.store(cell.logits + c);
    tops = max(logit, tops);
  }
  const T top = largest(tops);
  const auto total_weight = static_cast<double>(args.total_weight[label]);
  sums.loss += total_weight * static_cast<double>(top) -
               static_cast<double>(args.target_weight[label]) * static_cast<double>(cell.logits[label]);
  if (args.smoothing != nullptr) {
    V smoothed = V::zero();
    for (std::int64_t c = 0; c < padded; c += V::size) {
      smoothed = fma(V::load(cell.logits + c), V::load(args.smoothing + c), smoothed);
    }
    sums.loss -= static_cast<double>(sum(smoothed));
  }

  V powers = V::zero();
  for (std::int64_t c = 0; c < padded; c += V::size) {
    const V power = exp(V::load(cell.logits + c) - V::broadcast(top));
    power.store(cell.logits + c);
    powers = powers + power;
  }
  const T denominator = sum(powers);
  double& product = sums.denominators[label];
  product *= static_cast<double>(denominator);
  if (product > 1e300) {
    sums.loss += total_weight * std::log(product);
    product = 1;
  }

  const V scale = V::broadcast(args.total_weight[label] / denominator);
  const V target = V::broadcast(-args.target_weight[label]);
  V distance = V::broadcast(static_cast<T>(-label));  // 0 where the label is
  for (int i = 0; i < V::size; ++i) distance.v[i] += static_cast<T>(i);
  for (std::int64_t c = 0; c < padded; c += V::size) {
    const V hit = {distance.v == V::zero().v ? target.v : V::zero().v};
    V gradient = fma(V::load(cell.logits + c), scale, hit);
    if (args.smoothing != nullptr) gradient = gradient - V::load(args.smoothing + c);
    (V::load(cell.gradients + c) + gradient).store(cell.gradients + c);
    fma(acrosses, gradient, V::load(cell.right_gradients + c)).store(cell.right_gradients + c);
    distance = distance + V::broadcast(T(V::size));
  }
}

/// to += up * gradient and below += down * gradient, [padded] each.
template <class T>
DFORMER_ALWAYS_INLINE void add_to_rows(const T* gradient, std::int64_t padded, T down, T* above, T* below) {
  using V = Vec<T>;
  const V downs = V::broadcast(down), ups = V::broadcast(T(1) - down);
  for (std::int64_t c = 0; c < padded; c += V::size) {
    fma(ups, V::load(gradient + c), V::load(above + c)).store(above + c);
    if (down != T(0)) fma(downs, V::load(gradient + c), V::load(below + c)).store(below + c);
  }
}

/// The pixels of one row, a cell between two columns of the input after the other.
template <class T>
void cross_entropy_row(const CrossEntropyArgs<T>& args, const CrossEntropyRow<T>& row, std::int64_t padded,
                       const std::uint8_t* labels, CrossEntropySums& sums) {
  using V = Vec<T>;
  CrossEntropyCell<T> cell;
  const ResizeTap* const end = args.columns + args.y_width;
  for (const ResizeTap* column = args.columns; column != end;) {
    const std::int64_t left = column->first * padded;
    const std::int64_t right = column->second * padded;
    for (std::int64_t c = 0; c < padded; c += V::size) {
      const V logit = V::load(row.logits + left + c);
      logit.store(cell.left + c);
      (V::load(row.logits + right + c) - logit).store(cell.slope + c);
      V::zero().store(cell.gradients + c);
      V::zero().store(cell.right_gradients + c);
    }
    bool between = false;
    const ResizeTap* const next = end_of_cell(column, end);
    for (; column != next; ++column, ++labels) {
      if (args.counted[*labels] == 0) continue;
      cross_entropy_pixel(args, cell, padded, static_cast<T>(column->weight), std::int64_t{*labels}, sums);
      between = between || column->weight != 0;
    }
    for (std::int64_t c = 0; c < padded; c += V::size) {
      (V::load(cell.gradients + c) - V::load(cell.right_gradients + c)).store(cell.gradients + c);
    }
    add_to_rows(cell.gradients, padded, row.down, row.above + left, row.below + left);
    if (between) add_to_rows(cell.right_gradients, padded, row.down, row.above + right, row.below + right);
  }
}

/// Row `tap` of the resized logits before they are resized across: [width, padded].
template <class T>
void interpolate_rows_down(const CrossEntropyArgs<T>& args, const T* image, const ResizeTap& tap,
                           std::int64_t padded, T* line) {
  using V = Vec<T>;
  const std::int64_t classes = args.classes;
  const T* upper = image + tap.first * args.width * classes;
  const T* lower = image + tap.second * args.width * classes;
  const T down = static_cast<T>(tap.weight);
  const V downs = V::broadcast(down);
  for (std::int64_t pixel = 0; pixel < args.width; ++pixel) {
    if (classes < V::size) {
      for (std::int64_t k = 0; k < classes; ++k) line[k] = interpolate(upper[k], lower[k], down);
    } else {
      for (std::int64_t k = 0; k < classes; k += V::size) {
        const std::int64_t at = std::min<std::int64_t>(k, classes - V::size);  // the last one may overlap
        interpolate(V::load(upper + at), V::load(lower + at), downs).store(line + at);
      }
    }
    upper += classes;
    lower += classes;
    line += padded;
  }
}

/// A row of the scratch, [width, padded], to one of a result, [width, classes].
template <class T>
void store_unpadded(const T* from, T* to, std::int64_t width, std::int64_t padded, std::int64_t classes) {
  for (std::int64_t pixel = 0; pixel < width; ++pixel) {
    std::memcpy(to + pixel * classes, from + pixel * padded, static_cast<std::size_t>(classes) * sizeof(T));
  }
}

template <class T>
void cross_entropy(const CrossEntropyArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t padded = (args.classes + Vec<T>::size - 1) / Vec<T>::size * Vec<T>::size;
  const std::int64_t length = args.width * padded;
  T* const line = args.scratch;
  T* const above = line + length;
  T* const below = above + length;
  for (std::int64_t i = 0; i < length; ++i) line[i] = T(-1e30);  // the padding is never written again

  const ResizeTap* const rows_end = args.rows + args.y_height;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t image = task / args.height;
    const std::int64_t input_row = task % args.height;
    const T* const logits = args.logits + image * args.height * args.width * args.classes;
    for (std::int64_t i = 0; i < 2 * length; ++i) above[i] = 0;
    CrossEntropySums sums;
    sums.loss = 0;
    for (double& product : sums.denominators) product = 1;

    const ResizeTap* tap = args.rows;
    while (tap != rows_end && tap->first < input_row) ++tap;
    for (; tap != rows_end && tap->first == input_row; ++tap) {
      interpolate_rows_down(args, logits, *tap, padded, line);
      // Where there is no next row, the weight is that of the same row.
      const bool last = tap->second == tap->first;
      const CrossEntropyRow<T> row{line, above, below, last ? T(0) : static_cast<T>(tap->weight)};
      const std::uint8_t* labels = args.labels + (image * args.y_height + (tap - args.rows)) * args.y_width;
      cross_entropy_row(args, row, padded, labels, sums);
    }
    for (std::int64_t c = 0; c < args.classes; ++c) {
      sums.loss += static_cast<double>(args.total_weight[c]) * std::log(sums.denominators[c]);
    }
    args.loss[task] = sums.loss;
    store_unpadded(above, args.gradient + task * args.width * args.classes, args.width, padded, args.classes);
    if (args.below != nullptr) {
      store_unpadded(below, args.below + task * args.width * args.classes, args.width, padded, args.classes);
    }
  }
}
