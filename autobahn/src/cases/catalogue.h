// The 517 cases, in the order of their numbers. Group 8 and 11 do not exist.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cases/case.h"

namespace conform {

// What --quick makes smaller; the cases stay the same.
struct Scale {
  std::size_t message_size_max = static_cast<std::size_t>(-1);  // of group 9
  unsigned round_trips_max = static_cast<unsigned>(-1);         // of 9.7, 9.8
  unsigned compressed_messages = 1000;                          // of groups 12 and 13
};
inline constexpr Scale full_scale{};
inline constexpr Scale quick_scale{std::size_t{1} << 20, 100, 20};

std::vector<Case> catalogue(const Scale& scale);

// Comma-separated patterns: an id, a prefix with ".*" ("6.*"), or "*". Empty: everything.
class CaseFilter {
 public:
  CaseFilter(std::string_view included, std::string_view excluded);

  bool selects(std::string_view id) const;
  // A pattern that selects none of the cases: most likely a slip. Empty: there is none.
  std::string useless_pattern(const std::vector<Case>& cases) const;

 private:
  std::vector<std::string> included_;
  std::vector<std::string> excluded_;
};

// Whether one pattern fits an id.
bool pattern_fits(std::string_view pattern, std::string_view id);

// "Framing" for 1.
std::string_view group_title(int group);

// Numeric order: 1.2.1 before 1.10.1.
bool id_less(std::string_view left, std::string_view right);

}  // namespace conform
