// Text in memory of exactly its size, and whether views lie inside it.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "check.h"
#include "input.h"

namespace sansock::fuzz {

class ExactText {
 public:
  explicit ExactText(std::string_view text) : memory_(new char[text.size()]), size_(text.size()) {
    std::copy(text.begin(), text.end(), memory_.get());
  }
  explicit ExactText(const Data& bytes) : ExactText(testing::string_of(bytes)) {}

  std::string_view view() const { return {memory_.get(), size_}; }
  // Empty views may lie anywhere.
  bool holds(std::string_view part) const {
    const std::less_equal<const char*> before;
    return part.empty() ||
           (before(memory_.get(), part.data()) && before(part.data() + part.size(), memory_.get() + size_));
  }

 private:
  std::unique_ptr<char[]> memory_;
  std::size_t size_;
};

}  // namespace sansock::fuzz
