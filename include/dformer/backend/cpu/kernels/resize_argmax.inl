// Included once for each instruction set by kernels.hpp.
//
// Where the four corners of a cell have the same largest class, all pixels in it have, since what is ahead at
// the corners is ahead in any mean of them; only rounding could change that, and does not if the lead is
// large enough. Label maps are mostly such cells. The others are interpolated class by class, with a pixel in
// each element of a vector.

template <class T>
void top_class(const TopClassArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const V lowest = V::broadcast(-std::numeric_limits<T>::infinity());
  V first_indices = V::zero();
  for (int i = 0; i < V::size; ++i) first_indices.v[i] = static_cast<T>(i);
  for (std::int64_t pixel = begin; pixel < end; ++pixel) {
    const T* x = args.logits + pixel * args.classes;
    V top = lowest, second = lowest, magnitude = V::zero(), index = V::zero(), indices = first_indices;
    for (std::int64_t k = 0; k < args.classes; k += V::size) {
      const int count = static_cast<int>(std::min<std::int64_t>(V::size, args.classes - k));
      const bool whole = count == V::size;
      const V value = whole ? V::load(x + k) : load_logits(x + k, count);
      const V finite = whole ? value : V::load_part(x + k, count);
      magnitude = max(max(finite, V::zero() - finite), magnitude);
      second = max(min(value, top), second);
      index = {value.v > top.v ? indices.v : index.v};
      top = max(value, top);
      indices = indices + V::broadcast(T(V::size));
    }
    args.magnitude[pixel] = largest(magnitude);
    const V best = V::broadcast(largest(top));
    const V winners = {top.v == best.v ? V::broadcast(T(1)).v : V::zero().v};
    const V runner_up = {top.v == best.v ? second.v : top.v};
    const bool unique = sum(winners) == T(1);
    args.lead[pixel] = unique ? best.v[0] - largest(runner_up) : T(0);
    args.label[pixel] = unique ? static_cast<std::uint8_t>(sum(winners * index)) : std::uint8_t{0};
  }
}

/// The lines of one cell, from its left corners to its right ones, for a few output rows at a time.
template <class T>
struct CellLines {
  static constexpr int max_rows = 4;
  static constexpr std::int64_t max_classes = ResizeArgmaxArgs<T>::max_classes;

  alignas(vector_bytes) T left[max_rows][max_classes];
  alignas(vector_bytes) T slope[max_rows][max_classes];
};

/// Corners of a cell, [classes] each.
template <class T>
struct CellCorners {
  const T* upper_left;
  const T* upper_right;
  const T* lower_left;
  const T* lower_right;
};

template <class T>
DFORMER_ALWAYS_INLINE void interpolate_down(const CellCorners<T>& corners, std::int64_t classes, T weight,
                                            T* left, T* slope) {
  using V = Vec<T>;
  if (classes < V::size) {
    for (std::int64_t k = 0; k < classes; ++k) {
      left[k] = interpolate(corners.upper_left[k], corners.lower_left[k], weight);
      slope[k] = interpolate(corners.upper_right[k], corners.lower_right[k], weight) - left[k];
    }
    return;
  }
  const V weights = V::broadcast(weight);
  for (std::int64_t k = 0; k < classes; k += V::size) {
    const std::int64_t at = std::min<std::int64_t>(k, classes - V::size);
    const V l = interpolate(V::load(corners.upper_left + at), V::load(corners.lower_left + at), weights);
    const V r = interpolate(V::load(corners.upper_right + at), V::load(corners.lower_right + at), weights);
    l.store(left + at);
    (r - l).store(slope + at);
  }
}

/// Labels of up to Vec<T>::size neighbouring pixels, in each of the rows that `lines` holds.
template <class T>
DFORMER_ALWAYS_INLINE void argmax_pixels(const CellLines<T>& lines, std::int64_t classes,
                                         const ResizeTap* columns, int pixels, std::int64_t stride, int rows,
                                         std::uint8_t* y) {
  using V = Vec<T>;
  constexpr int max_rows = CellLines<T>::max_rows;
  alignas(vector_bytes) T part[V::size] = {};
  for (int i = 0; i < pixels; ++i) part[i] = static_cast<T>(columns[i].weight);
  const V across = V::load(part);
  V top[max_rows], index[max_rows];
  DFORMER_UNROLL
  for (int row = 0; row < max_rows; ++row) {
    top[row] = V::broadcast(-std::numeric_limits<T>::infinity());
    index[row] = V::zero();
  }
  V k_vector = V::zero();
  for (std::int64_t k = 0; k < classes; ++k) {
    DFORMER_UNROLL
    for (int row = 0; row < max_rows; ++row) {
      const V value = fma(across, V::broadcast(lines.slope[row][k]), V::broadcast(lines.left[row][k]));
      index[row] = {value.v > top[row].v ? k_vector.v : index[row].v};
      top[row] = max(value, top[row]);
    }
    k_vector = k_vector + V::broadcast(T(1));
  }
  for (int row = 0; row < rows; ++row) {
    index[row].store(part);
    for (int i = 0; i < pixels; ++i) y[row * stride + i] = static_cast<std::uint8_t>(part[i]);
  }
}

/// All pixels of the cell whose output rows and columns are given, class by class.
template <class T>
void argmax_cell(const ResizeArgmaxArgs<T>& args, const CellCorners<T>& corners, const ResizeTap* rows,
                 int row_count, const ResizeTap* columns, int column_count, std::uint8_t* y) {
  constexpr int max_rows = CellLines<T>::max_rows;
  CellLines<T> lines;
  for (int row = 0; row < row_count; row += max_rows) {
    const int count = std::min(max_rows, row_count - row);
    for (int i = 0; i < max_rows; ++i) {
      const T weight = static_cast<T>(rows[row + std::min(i, count - 1)].weight);
      interpolate_down(corners, args.classes, weight, lines.left[i], lines.slope[i]);
    }
    for (int column = 0; column < column_count; column += Vec<T>::size) {
      argmax_pixels(lines, args.classes, columns + column, std::min<int>(Vec<T>::size, column_count - column),
                    args.y_width, count, y + row * args.y_width + column);
    }
  }
}

/// The class that a whole cell certainly has, or -1.
template <class T>
DFORMER_ALWAYS_INLINE int class_of_cell(const ResizeArgmaxArgs<T>& args, std::int64_t upper_left,
                                        std::int64_t upper_right, std::int64_t lower_left,
                                        std::int64_t lower_right) {
  const std::uint8_t label = args.label[upper_left];
  if (args.label[upper_right] != label || args.label[lower_left] != label ||
      args.label[lower_right] != label) {
    return -1;
  }
  const T lead = std::min(std::min(args.lead[upper_left], args.lead[upper_right]),
                          std::min(args.lead[lower_left], args.lead[lower_right]));
  const T magnitude = std::max(std::max(args.magnitude[upper_left], args.magnitude[upper_right]),
                               std::max(args.magnitude[lower_left], args.magnitude[lower_right]));
  // Each of the three interpolations rounds three times, by at most twice the magnitude times epsilon / 2;
  // two classes together by less than 16 epsilon.
  return lead > 16 * std::numeric_limits<T>::epsilon() * magnitude ? label : -1;
}

/// The first tap from `tap` on that starts from another row or column.
DFORMER_ALWAYS_INLINE const ResizeTap* end_of_cell(const ResizeTap* tap, const ResizeTap* end) {
  const std::int32_t first = tap->first;
  while (tap != end && tap->first == first) ++tap;
  return tap;
}

template <class T>
void resize_argmax(const ResizeArgmaxArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const ResizeTap* const rows_end = args.rows + args.y_height;
  const ResizeTap* const columns_end = args.columns + args.y_width;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t image = task / args.height;
    const ResizeTap* row = args.rows;
    while (row != rows_end && row->first < task % args.height) ++row;
    if (row == rows_end || row->first != task % args.height) continue;  // shrinking skips input rows
    const auto row_count = static_cast<int>(end_of_cell(row, rows_end) - row);
    const std::int64_t upper = (image * args.height + row->first) * args.width;
    const std::int64_t lower = (image * args.height + row->second) * args.width;
    std::uint8_t* const y = args.y + (image * args.y_height + (row - args.rows)) * args.y_width;
    for (const ResizeTap* column = args.columns; column != columns_end;) {
      const ResizeTap* next = end_of_cell(column, columns_end);
      const int label = class_of_cell(args, upper + column->first, upper + column->second,
                                      lower + column->first, lower + column->second);
      if (label < 0) {
        const CellCorners<T> corners{args.logits + (upper + column->first) * args.classes,
                                     args.logits + (upper + column->second) * args.classes,
                                     args.logits + (lower + column->first) * args.classes,
                                     args.logits + (lower + column->second) * args.classes};
        argmax_cell(args, corners, row, row_count, column, static_cast<int>(next - column),
                    y + (column - args.columns));
      } else {
        while (next != columns_end && class_of_cell(args, upper + next->first, upper + next->second,
                                                    lower + next->first, lower + next->second) == label) {
          next = end_of_cell(next, columns_end);
        }
        for (int i = 0; i < row_count; ++i) {
          std::memset(y + i * args.y_width + (column - args.columns), label,
                      static_cast<std::size_t>(next - column));
        }
      }
      column = next;
    }
  }
}
