#include "check.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace sansock::fuzz {

namespace {

class AbortOnFailure final : public ::testing::EmptyTestEventListener {
  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::fprintf(stderr, "%s:%d: %s\n", result.file_name() != nullptr ? result.file_name() : "?",
                 result.line_number(), result.message());
    std::abort();
  }
};

// There is no InitGoogleTest() and no test case: whatever fails, fails outside of one.
[[maybe_unused]] const bool listening = [] {
  ::testing::UnitTest::GetInstance()->listeners().Append(new AbortOnFailure);
  return true;
}();

}  // namespace

void fail(const char* file, int line, const char* condition, const std::string& what) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\n%s\n", file, line, condition, what.c_str());
  std::abort();
}

}  // namespace sansock::fuzz
