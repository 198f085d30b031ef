#include <autodiff/golden_gradients.hpp>

#include <dformer/heads/fcn_head.hpp>
#include <dformer/heads/ham_head.hpp>
#include <dformer/heads/mlp_head.hpp>
#include <dformer/nn/random_bases.hpp>

namespace dformer::testing {
namespace {

template <class Head>
void check_head(const std::string& name) {
  check_golden_gradients<Head>(name, [&](Head& head, GoldenRun& run) {
    head.dropout.p = 0.0f;  // the fixtures were made without
    Features<Leaf> maps;
    for (std::size_t level = 0; level < 4; ++level)
      maps[level] = run.nchw_input("c" + std::to_string(level + 1));
    run.nchw_output("", head(maps));
  });
}

template <class Mode>
void check_heads(const std::string& mode) {
  using B = Recorded<Mode>;
  check_head<MlpHead<B, 8, 12, 16, 24, 7, 16>>("head_mlpdecoder_" + mode);

  using Ham = LightHamHead<B, 12, 16, 24, 7, 24, 32, 8>;
  check_golden_gradients<Ham>("head_lightham_" + mode, [](Ham& head, GoldenRun& run) {
    head.dropout.p = 0.0f;
    std::vector<float> bases(2 * 32 * 8);
    random_bases(NamedStream("ham.bases"), 32, 8, bases);
    head.hamburger.bases.set(B::from_host(device_of(head), {2, 32, 8}, bases));
    const Features<Leaf> maps{{Leaf(), run.nchw_input("c2"), run.nchw_input("c3"), run.nchw_input("c4")}};
    run.nchw_output("", head(maps));
  });

  using Fcn = FcnHead<B, 24, 7>;
  check_golden_gradients<Fcn>("head_fcn_" + mode, [](Fcn& head, GoldenRun& run) {
    head.dropout.p = 0.0f;
    Features<Leaf> maps;
    maps[3] = run.nchw_input("x");
    run.nchw_output("", head(maps));
  });
}

TEST(HeadGradients, WithRunningStatistics) {
  check_heads<Evaluation>("eval");
}
TEST(HeadGradients, WithStatisticsOfTheBatch) {
  check_heads<Training>("train");
}

}  // namespace
}  // namespace dformer::testing
