#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "fuzz_reader.hpp"
#include <dformer/io/pickle.hpp>

namespace {

/// Every number that a value carries must lead to something.
void check(const dformer::io::Pickle& pickle, const dformer::io::PickleValue& value) {
  using Kind = dformer::io::PickleValue::Kind;
  switch (value.kind) {
    case Kind::list:
    case Kind::tuple:
    case Kind::set:
    case Kind::dict:
    case Kind::persistent_id: {
      const auto items = pickle.items(value);
      if (value.kind == Kind::dict && items.size() % 2 != 0) std::abort();
      if (value.kind == Kind::persistent_id && items.size() != 1) std::abort();
      break;
    }
    case Kind::global:
      if (dformer::io::runs_code(pickle.global(value))) std::abort();
      break;
    case Kind::object:
      check(pickle, pickle.object(value).arguments);
      break;  // a tuple: no deeper
    default:
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dformer;
  try {
    io::ByteReader reader(fuzz::bytes(data, size), "fuzz");
    const io::Pickle pickle = io::parse_pickle(reader);
    check(pickle, pickle.root());
    for (const io::PickleValue& id : pickle.persistent_ids()) check(pickle, pickle.items(id)[0]);
    if (pickle.root().is(io::PickleValue::Kind::dict)) pickle.find(pickle.root(), "model");
  } catch (const CheckpointError&) {
  }
  return 0;
}
