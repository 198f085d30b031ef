#pragma once

#include <string>

#include <backend/naive_epilogue.hpp>
#include <support/backend_under_test.hpp>

#if defined(DFORMER_TEST_CUDA)
#include <dformer/backend/cuda/gradients/gradients.hpp>
#else
#include <dformer/backend/cpu/gradients/gradients.hpp>
#endif

namespace dformer::testing {

using TestGradients = Gradients<TestBackend>;

/// What the exception of type E that `call` throws says.
template <class E, class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return "no exception of that type";
}

}  // namespace dformer::testing
