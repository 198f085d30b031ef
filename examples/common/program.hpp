#pragma once

#include <charconv>
#include <exception>
#include <functional>
#include <iostream>
#include <new>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>

#include <dformer/core/error.hpp>

namespace dformer::programs {

/// A command line that is wrong in a way that CLI11 does not see.
struct UsageError : Error {
  using Error::Error;
};

/// Reads the command line and runs `body`, whose value becomes the exit code. What the library or the system
/// refuses is one line on stderr and exit code 1; a wrong command line exits with 2.
template <class Body>
int run_program(CLI::App& app, int argc, char** argv, const Body& body) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    return body();
  } catch (const UsageError& error) {
    std::cerr << app.get_name() << ": " << error.what() << '\n';
    return 2;
  } catch (const std::bad_alloc&) {
    std::cerr << app.get_name() << ": out of memory; try a smaller image, batch or model\n";
  } catch (const std::exception& error) {
    std::cerr << app.get_name() << ": " << error.what() << '\n';
  }
  return 1;
}

/// Refuses, as a wrong command line, a word that `parse` throws an Error for.
template <class Parse>
std::function<std::string(const std::string&)> parsed_by(Parse parse) {
  return [parse](const std::string& word) -> std::string {
    try {
      parse(word);
      return {};
    } catch (const Error& error) {
      return error.what();
    }
  };
}

/// Refuses, as a wrong command line, what is no number above 0.
inline CLI::Validator above_zero() {
  const auto check = [](const std::string& word) -> std::string {
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error == std::errc() && end == word.data() + word.size() && value > 0) return {};
    return "a number above 0 expected, got '" + word + "'";
  };
  return CLI::Validator(check, "POSITIVE");
}

}  // namespace dformer::programs
