// What holds in every execution of a fuzz target. A check that fails ends the process with its place,
// which libFuzzer takes for a crash; so does a failure of GoogleTest's, which tests/support reports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sansock::fuzz {

// Prints and aborts. `what` says what was found instead, if there is more to say.
[[noreturn]] void fail(const char* file, int line, const char* condition, const std::string& what = {});

}  // namespace sansock::fuzz

#define FUZZ_CHECK(condition, ...)                                                      \
  do {                                                                                  \
    if (!(condition)) [[unlikely]]                                                      \
      ::sansock::fuzz::fail(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)

// Every target defines it; libFuzzer and replay.cpp call it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
