#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <dformer/io/layer_comparison.hpp>
#include <dformer/io/parity_comparison.hpp>
#include <dformer/io/recorded_inputs.hpp>

namespace {

/// A file in memory, for readers that take a path.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor_ < 0 || ::write(descriptor_, data, size) != static_cast<ssize_t>(size))
      throw std::runtime_error("no file in memory");
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

dformer::parity::HostTensor ones(const dformer::Shape& shape) {
  return {shape, std::vector<float>(static_cast<std::size_t>(shape.numel()), 1.0f)};
}
bool is_small(const dformer::Shape& shape) {
  return shape.rank() > 0 && shape.is_valid() && shape.numel() > 0 && shape.numel() <= 1 << 14;
}

void compare_fixture(const std::string& path) {
  using namespace dformer;
  const ParityFixture fixture(path);
  const Shape& input = fixture.input_shape;
  if (!is_small(input)) return;
  std::map<std::string, parity::HostTensor> results;
  for (const ParityFixture::Tap& tap : fixture.taps) {
    if (is_small(tap.shape)) results[parity::operation_of(tap.name)] = ones(tap.shape);
  }
  const Shape scores{input[0], (input[2] + 7) / 8, (input[3] + 7) / 8, fixture.num_classes};
  const Shape final{input[0], input[2], input[3], 2};
  const std::vector<std::uint8_t> labels(static_cast<std::size_t>(input.numel() / 3));
  parity::Comparison(fixture, results).report(ones(scores), ones(final), labels);
}

void compare_layers(const std::string& path) {
  using namespace dformer;
  const Checkpoint recorded(path);
  LayerComparison comparison(recorded, 1e-4);
  for (const TensorRecord& tensor : recorded.tensors()) {
    if (is_small(tensor.shape)) comparison.compare(tensor.name, ones(tensor.shape));
    comparison.compare(tensor.name + ".weight", ones({1, 2, 3, 4}));
  }
  comparison.finish();
}

}  // namespace

/// The input is a recorded run: as a fixture, as the results of modules, and as a network's inputs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  const auto attempt = [&](const auto& work) {
    try {
      work(file.path());
    } catch (const dformer::Error&) {
    }
  };
  attempt(compare_fixture);
  attempt(compare_layers);
  attempt([](const std::string& path) { dformer::read_inputs(dformer::Checkpoint(path)); });
  return 0;
}
