// Included once for each instruction set by kernels.hpp.
//
// The keys and values of one head lie a row of all heads apart; they are packed before use and fetched before
// that.

/// Rows that the next task will read, brought into the second-level cache a few at a time while this one
/// computes. Heads lie apart in memory, so the processor does not see them coming.
struct RowsAhead {
  const std::byte* rows[8] = {};
  std::int64_t stride = 0;  // in bytes
  std::int64_t row_bytes = 0;
  std::int64_t count = 0;  // of rows in each array
  std::int64_t at_once = 0;
  std::int64_t row = 0;
  int array = 0;
  int arrays = 0;

  template <class T>
  DFORMER_ALWAYS_INLINE void expect(const T* first, std::int64_t row_stride, std::int64_t row_count,
                                    std::int64_t row_elements) {
    rows[arrays++] = reinterpret_cast<const std::byte*>(first);
    stride = row_stride * static_cast<std::int64_t>(sizeof(T));
    row_bytes = row_elements * static_cast<std::int64_t>(sizeof(T));
    count = row_count;
  }
  /// Over this many steps.
  DFORMER_ALWAYS_INLINE void spread(std::int64_t steps) { at_once = (arrays * count + steps - 1) / steps; }

  DFORMER_ALWAYS_INLINE void step() {
    for (std::int64_t n = 0; n < at_once && array < arrays; ++n) {
      const std::byte* from = rows[array] + row * stride;
      for (std::int64_t i = 0; i < row_bytes; i += 64) __builtin_prefetch(from + i, 0, 2);
      if (++row == count) {
        row = 0;
        ++array;
      }
    }
  }
};

/// `count` rows of head_dim elements, one after another, and the last again up to the padding.
template <class T>
DFORMER_ALWAYS_INLINE void pack_rows(const T* rows, std::int64_t stride, std::int64_t count,
                                     std::int64_t head_dim, T* packed) {
  using V = Vec<T>;
  constexpr std::int64_t padding = attention_key_padding;
  const std::int64_t full = head_dim / V::size * V::size;
  const std::int64_t padded = (count + padding - 1) / padding * padding;
  for (std::int64_t i = 0; i < padded; ++i) {
    for (std::int64_t c = 0; c < full; c += V::size) V::load(rows + c).store(packed + c);
    for (std::int64_t c = full; c < head_dim; ++c) packed[c] = rows[c];
    rows += i + 1 < count ? stride : 0;
    packed += head_dim;
  }
}
