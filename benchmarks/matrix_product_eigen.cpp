// Compiled for the processor that builds it (-march=native), which is Eigen's best case.

#include "matrix_product_peers.hpp"

#if defined(DFORMER_BENCHMARK_EIGEN)
#include <Eigen/Core>

std::function<void()> peers::eigen(const Product& product, int threads) {
  return [product, threads] {
    using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    Eigen::setNbThreads(threads);
    const Eigen::Map<const Matrix> x(product.x, product.rows, product.depth);
    const Eigen::Map<const Matrix> weight(product.weight, product.channels, product.depth);
    const Eigen::Map<const Eigen::RowVectorXf> bias(product.bias, product.channels);
    Eigen::Map<Matrix> y(product.y, product.rows, product.channels);
    y.noalias() = x * weight.transpose();
    y.rowwise() += bias;
  };
}
#else
std::function<void()> peers::eigen(const Product&, int) {
  return {};
}
#endif
