#include <exception>
#include <iostream>

#include <dformer/cuda.hpp>

/// Asks for a GPU where none is shown: a program must end with one sentence that says why there is none.
int main() {
  try {
    const dformer::cuda::Device device;
    std::cout << "there is a GPU\n";
  } catch (const std::exception& error) {
    std::cout << error.what() << '\n';
  }
}
