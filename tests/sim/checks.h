// Where the checkers put what they found. The first violation counts: what follows it is confusion.
#pragma once

#include <string>

namespace sansock::sim {

class Checks {
 public:
  // `checker` is a short fixed name; a test of the checkers asks for it.
  void fail(const char* checker, unsigned port, std::string text) {
    if (!checker_.empty()) return;
    checker_ = checker;
    text_ = "link " + std::to_string(port / 2) + (port % 2 == 0 ? " server: " : " client: ") + text;
  }
  void fail(const char* checker, std::string text) {
    if (!checker_.empty()) return;
    checker_ = checker;
    text_ = std::move(text);
  }
  bool failed() const noexcept { return !checker_.empty(); }
  const std::string& checker() const noexcept { return checker_; }
  const std::string& text() const noexcept { return text_; }

 private:
  std::string checker_;
  std::string text_;
};

// Thrown by an application to get out of a driver that does not come to an end.
struct Livelock {};

}  // namespace sansock::sim
