#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include <dformer/backend/cuda/elements.hpp>
#include <dformer/backend/cuda/kernels/gradients/nmf.hpp>
#include <dformer/backend/cuda/kernels/gradients/nmf_on_tensor_cores.hpp>
#include <dformer/backend/cuda/kernels/pointwise.hpp>
#include <dformer/backend/cuda/nmf_images.hpp>
#include <dformer/backend/gradient_shapes.hpp>

namespace dformer::cuda {

template <class T>
struct FactorizationGradientOps {
  /// Of nmf(x [N, T, D], bases, steps, inv_t) with respect to x, given dy [N, T, D], through all steps; the
  /// bases are constants. The steps are made again, and of each row 2 steps + 1 times R floats are kept
  /// until the end; a few images at a time.
  /// Throws: ShapeError when the shapes disagree, ArgumentError when steps is negative.
  static Tensor<T> nmf(const Tensor<T>& x, const Tensor<T>& bases, int steps, float inv_t,
                       const Tensor<T>& dy) {
    const Shape shape = shapes::nmf_gradient(x.shape(), bases.shape(), steps, dy.shape());
    require_one_device("nmf gradient", x, bases, dy);
    Tensor<T> dx(x.device(), shape);
    if (shape.numel() == 0) return dx;
    const Tensor<T> given = full(bases);
    const std::int64_t together = std::clamp<std::int64_t>(rows_together / shape[1], 1, shape[0]);
    for (std::int64_t n = 0; n < shape[0]; n += together) {
      Images(x, given, steps, inv_t, dy, n, std::min(together, shape[0] - n)).run(dx);
    }
    return dx;
  }

 private:
  static constexpr std::int64_t rows_together = 38400;  // 8 images of the networks' size

  /// Some images on their way there and back. Step s makes the coefficients C(s + 1) of C(s) and bases B(s),
  /// and B(s + 1) of those; the last one, `steps`, makes the coefficients only. `history` keeps of each row
  /// what the way back needs, and `weights` of each channel what these pieces are, or were, multiplied with:
  ///
  ///     history   x B(0),  C(1),  x B(1),  C(2)  ...  C(steps),  x B(steps)
  ///     weights   B(0),    D(0),  B(1),    D(1)  ...  D(steps - 1),  B(steps)
  ///
  /// Each x B(s) gives way to its gradient, and D(s) is the gradient of x^T C(s + 1), so that in the end the
  /// input's gradient is one product, history weights^T.
  class Images {
   public:
    Images(const Tensor<T>& x, const Tensor<T>& bases, int steps, float inv_t, const Tensor<T>& dy,
           std::int64_t first, std::int64_t count)
        : steps_(steps),
          inv_t_(inv_t),
          first_(first),
          width_((2 * steps_ + 1) * bases.shape()[2]),
          images_(x.device(), x.data() + first * x.shape()[1] * x.shape()[2], count, x.shape()[1],
                  x.shape()[2], bases.shape()[2]),
          dy_{dy.data() + first * images_.x().image_step, images_.x().image_step, images_.x().step},
          history_(x.device(), Shape{count, images_.rows(), width_}),
          weights_(x.device(), Shape{count, images_.channels(), width_}),
          start_(x.device(), Shape{count, images_.rows(), images_.rank()}),
          last_(x.device(), start_.shape()),
          dcoefficients_(x.device(), start_.shape()),
          drows_(x.device(), start_.shape()),
          dbases_(x.device(), Shape{count, images_.channels(), images_.rank()}),
          dchannels_(x.device(), dbases_.shape()),
          grams_(x.device(), Shape{steps_ + 1, count, images_.rank(), images_.rank()}),
          dgram_(x.device(), Shape{count, images_.rank(), images_.rank()}),
          found_(x.device(), Shape{steps_, count, images_.channels() + images_.rank(), images_.rank()}),
          sums_(x.device(), Shape{count, images_.channels() + images_.rank(), images_.rank()}) {
      const Tensor<T> given = images_.kept(bases);
      const std::int64_t rank = images_.rank(), size = images_.channels() * rank;
      for (std::int64_t n = 0; n < count; ++n) {
        copy_columns(CopyColumnsArgs<float>{given.full_data() + (first + n) % bases.shape()[0] * size,
                                            weights_.data() + n * images_.channels() * width_,
                                            images_.channels(), rank, rank, width_},
                     images_.stream());
      }
    }

    void run(Tensor<T>& dx) {
      for (std::int64_t step = 0; step <= steps_; ++step) forward(step);
      begin_backward();
      for (std::int64_t step = steps_;; --step) {
        back_through_coefficients(step);
        if (step == 0) break;
        back_through_bases(step - 1);
      }
      const std::int64_t rows = images_.rows(), channels = images_.channels();
      images_.make_result({history_.data(), rows * width_, width_},
                          {weights_.data(), channels * width_, width_}, width_,
                          {dx.data() + first_ * rows * channels, rows * channels, channels});
    }

   private:
    using Matrix = ImageMatrix<float>;
    using ConstMatrix = ImageMatrix<const float>;
    static ConstMatrix read(const Matrix& matrix) { return NmfImages<T>::read(matrix); }

    Matrix history(std::int64_t piece) {
      return {history_.data() + piece * images_.rank(), images_.rows() * width_, width_};
    }
    Matrix weights(std::int64_t piece) {
      return {weights_.data() + piece * images_.rank(), images_.channels() * width_, width_};
    }
    Matrix similarities(std::int64_t step) { return history(2 * step); }
    Matrix bases(std::int64_t step) { return weights(2 * step); }
    Matrix coefficients(std::int64_t step) {
      if (step == 0) return of_rows(start_);
      return step > steps_ ? of_rows(last_) : history(2 * step - 1);
    }
    Matrix of_rows(Tensor<float>& tensor) { return images_.matrix(tensor, images_.rows()); }
    Matrix of_channels(Tensor<float>& tensor) { return images_.matrix(tensor, images_.channels()); }
    Matrix square(Tensor<float>& tensor) { return images_.matrix(tensor, images_.rank()); }
    Matrix gram(std::int64_t step) {
      Matrix first = square(grams_);
      first.data += step * images_.images() * first.image_step;
      return first;
    }
    /// x^T C(step + 1), and below its rows the coefficients' own square.
    Matrix found(std::int64_t step) {
      const std::int64_t size = images_.sums_step();
      return {found_.data() + step * images_.images() * size, size, images_.rank()};
    }
    Matrix below(Matrix sums) const {
      sums.data += images_.channels() * images_.rank();
      return sums;
    }
    Matrix sums() { return {sums_.data(), images_.sums_step(), images_.rank()}; }

    void forward(std::int64_t step) {
      const ConstMatrix basis = read(bases(step));
      images_.make_gram(basis, gram(step));
      if (step == 0) {
        images_.start(basis, read(gram(0)), inv_t_, similarities(0), coefficients(0), coefficients(1));
      } else {
        images_.update_coefficients(basis, read(gram(step)), read(coefficients(step)), similarities(step),
                                    coefficients(step + 1));
      }
      if (step < steps_) {
        images_.update_bases(read(coefficients(step + 1)), basis, found(step), bases(step + 1));
      }
    }

    /// Through the product of the last coefficients and bases.
    void begin_backward() {
      nmf_product(
          NmfProductArgs<T, float>{dy_, read(bases(steps_)), of_rows(dcoefficients_), images_.images(),
                                   images_.rows(), images_.rank(), images_.channels(), false, false},
          images_.stream());
      if (steps_ > 0) images_.sum_rows(dy_, read(coefficients(steps_ + 1)), dbases_.data());
    }

    /// From C(step + 1) to C(step) and x B(step), and in front of the first step on to the similarities.
    void back_through_coefficients(std::int64_t step) {
      const bool to_bases = step < steps_;
      const ConstMatrix dsums = to_bases ? read(weights(2 * step + 1)) : ConstMatrix{};
      const ConstMatrix next = to_bases ? read(coefficients(step + 1)) : ConstMatrix{};
      update_coefficients_gradient(step, dsums, next);
      if (step > 0) return;
      nmf_start_gradient({read(coefficients(0)), read(of_rows(dcoefficients_)), similarities(0),
                          images_.images(), images_.rows(), images_.rank(), inv_t_},
                         images_.stream());
    }
    void update_coefficients_gradient(std::int64_t step, const ConstMatrix& dsums, const ConstMatrix& next) {
      if constexpr (!std::is_same_v<T, float>) {
        if (images_.on_tensor_cores()) {
          nmf_coefficients_gradient(
              NmfCoefficientsGradientArgs<T>{images_.x(), dsums, next, read(square(dgram_)),
                                             read(coefficients(step)), read(gram(step)), similarities(step),
                                             of_rows(dcoefficients_), of_rows(drows_), images_.images(),
                                             images_.rows(), images_.channels()},
              images_.stream());
          return;
        }
      }
      NmfUpdateGradientArgs<T> args{};
      args.gradient = of_rows(dcoefficients_);
      if (next.data != nullptr) {
        args.x = images_.x();
        args.right = dsums;
        args.next = next;
        args.dsquare = read(square(dgram_));
      }
      args.values = read(coefficients(step));
      args.square = read(gram(step));
      args.numerator = read(similarities(step));
      args.dnumerator = similarities(step);
      args.ddenominator = of_rows(drows_);
      args.images = images_.images();
      args.rows = images_.rows();
      args.rank = images_.rank();
      args.depth = images_.channels();
      nmf_update_gradient(args, images_.stream());
      add_through_denominator(of_rows(drows_), gram(step), of_rows(dcoefficients_), images_.rows());
    }

    /// From B(step + 1) to B(step), D(step) and the gradient of the square of C(step + 1).
    void back_through_bases(std::int64_t step) {
      images_.sum_rows(images_.x(), read(similarities(step + 1)), read(coefficients(step + 1)),
                       read(of_rows(drows_)), true, sums_.data());
      NmfUpdateGradientArgs<T> args{};
      args.gradient = of_channels(dbases_);
      args.given = read(sums());
      args.next = read(bases(step + 1));
      args.dsquare = read(below(sums()));
      args.values = read(bases(step));
      args.square = read(below(found(step)));
      args.numerator = read(found(step));
      args.dnumerator = weights(2 * step + 1);
      args.ddenominator = of_channels(dchannels_);
      args.images = images_.images();
      args.rows = images_.channels();
      args.rank = images_.rank();
      nmf_update_gradient(args, images_.stream());
      add_through_denominator(of_channels(dchannels_), below(found(step)), of_channels(dbases_),
                              images_.channels());
      images_.sum_channels(read(bases(step)), read(of_channels(dchannels_)), true, dgram_.data());
    }

    /// gradient += ddenominator square.
    void add_through_denominator(const Matrix& ddenominator, const Matrix& square_matrix,
                                 const Matrix& gradient, std::int64_t rows) {
      nmf_product(
          NmfProductArgs<float, float>{read(ddenominator), read(square_matrix), gradient, images_.images(),
                                       rows, images_.rank(), images_.rank(), false, true},
          images_.stream());
    }

    const std::int64_t steps_;
    const float inv_t_;
    const std::int64_t first_;
    const std::int64_t width_;  // of history and weights
    const NmfImages<T> images_;
    const ImageMatrix<const T> dy_;
    Tensor<float> history_;
    Tensor<float> weights_;
    Tensor<float> start_;  // C(0)
    Tensor<float> last_;   // C(steps + 1)
    Tensor<float> dcoefficients_;
    Tensor<float> drows_;  // the gradient of a denominator of coefficients
    Tensor<float> dbases_;
    Tensor<float> dchannels_;  // the gradient of a denominator of bases
    Tensor<float> grams_;      // of every step
    Tensor<float> dgram_;
    Tensor<float> found_;  // of every step
    Tensor<float> sums_;
  };
};

}  // namespace dformer::cuda
