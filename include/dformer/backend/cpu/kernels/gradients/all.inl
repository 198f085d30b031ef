// Every gradient kernel's source, in the order of their use of one another; included by gradients/kernels.hpp
// once for each instruction set, inside that set's namespace, after the sources of kernels/all.inl.

template <class T>
inline constexpr GradientTable<T> gradient_table{};
