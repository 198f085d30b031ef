// Included once for each instruction set by gradients/kernels.hpp.

template <class T>
DFORMER_ALWAYS_INLINE void adamw_vector(const AdamWArgs<T>& args, Vec<T>& value, Vec<T> gradient,
                                        Vec<T>& mean, Vec<T>& squares) {
  using V = Vec<T>;
  mean = fma(V::broadcast(args.one_minus_beta1), gradient, V::broadcast(args.beta1) * mean);
  squares = fma(V::broadcast(args.one_minus_beta2) * gradient, gradient, V::broadcast(args.beta2) * squares);
  const V root = fma(V::broadcast(args.root_scale), sqrt(squares), V::broadcast(args.eps));
  value = V::broadcast(args.keep) * value - V::broadcast(args.step) * mean / root;
}

template <class T>
void adamw(const AdamWArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t last = std::min(end * AdamWArgs<T>::block, args.count);
  std::int64_t i = begin * AdamWArgs<T>::block;
  for (; i + V::size <= last; i += V::size) {
    V value = V::load(args.value + i), mean = V::load(args.mean + i), squares = V::load(args.squares + i);
    adamw_vector(args, value, V::load(args.gradient + i), mean, squares);
    value.store(args.value + i);
    mean.store(args.mean + i);
    squares.store(args.squares + i);
  }
  if (i < last) {
    const int rest = static_cast<int>(last - i);
    V value = V::load_part(args.value + i, rest), mean = V::load_part(args.mean + i, rest),
      squares = V::load_part(args.squares + i, rest);
    adamw_vector(args, value, V::load_part(args.gradient + i, rest), mean, squares);
    value.store_part(args.value + i, rest);
    mean.store_part(args.mean + i, rest);
    squares.store_part(args.squares + i, rest);
  }
}

template <class T>
void sgd(const SgdArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t last = std::min(end * SgdArgs<T>::block, args.count);
  for (std::int64_t i = begin * SgdArgs<T>::block; i < last; i += V::size) {
    const int count = static_cast<int>(std::min<std::int64_t>(V::size, last - i));
    const bool whole = count == V::size;
    const V value = whole ? V::load(args.value + i) : V::load_part(args.value + i, count);
    V move = whole ? V::load(args.gradient + i) : V::load_part(args.gradient + i, count);
    move = fma(V::broadcast(args.weight_decay), value, move);
    if (args.momentum != T(0)) {
      const V before =
          whole ? V::load(args.momentum_buffer + i) : V::load_part(args.momentum_buffer + i, count);
      move = fma(V::broadcast(args.momentum), before, move);
    }
    const V after = value - V::broadcast(args.lr) * move;
    if (whole) {
      after.store(args.value + i);
      if (args.momentum_buffer != nullptr) move.store(args.momentum_buffer + i);
    } else {
      after.store_part(args.value + i, count);
      if (args.momentum_buffer != nullptr) move.store_part(args.momentum_buffer + i, count);
    }
  }
}

template <class T>
void average_to(const AverageArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t last = std::min(end * AverageArgs<T>::block, args.count);
  const V decay = V::broadcast(args.decay), share = V::broadcast(args.share);
  std::int64_t i = begin * AverageArgs<T>::block;
  for (; i + V::size <= last; i += V::size) {
    fma(share, V::load(args.x + i), decay * V::load(args.average + i)).store(args.average + i);
  }
  for (; i < last; ++i) args.average[i] = args.decay * args.average[i] + args.share * args.x[i];
}
