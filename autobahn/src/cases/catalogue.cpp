#include "cases/catalogue.h"

#include <algorithm>
#include <cstdlib>

#include "cases/case_groups.h"

namespace conform {
namespace {

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string part(list.substr(0, comma));
    std::erase(part, ' ');
    if (!part.empty()) parts.push_back(part);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return parts;
}

bool any_fits(const std::vector<std::string>& patterns, std::string_view id) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [id](const std::string& pattern) { return pattern_fits(pattern, id); });
}

std::vector<int> numbers(std::string_view id) {
  std::vector<int> found;
  while (!id.empty()) {
    const std::size_t dot = std::min(id.find('.'), id.size());
    found.push_back(std::atoi(std::string(id.substr(0, dot)).c_str()));
    id.remove_prefix(std::min(dot + 1, id.size()));
  }
  return found;
}

}  // namespace

std::vector<Case> catalogue(const Scale& scale) {
  std::vector<Case> cases;
  add_framing_cases(cases);
  add_ping_cases(cases);
  add_reserved_bit_cases(cases);
  add_reserved_opcode_cases(cases);
  add_fragmentation_cases(cases);
  add_utf8_cases(cases);
  add_closing_cases(cases);
  add_limit_cases(cases, scale);
  add_auto_fragment_cases(cases);
  add_compression_cases(cases, scale);
  return cases;
}

CaseFilter::CaseFilter(std::string_view included, std::string_view excluded)
    : included_(split(included)), excluded_(split(excluded)) {}

bool CaseFilter::selects(std::string_view id) const {
  return (included_.empty() || any_fits(included_, id)) && !any_fits(excluded_, id);
}

std::string CaseFilter::useless_pattern(const std::vector<Case>& cases) const {
  for (const auto* patterns : {&included_, &excluded_}) {
    for (const std::string& pattern : *patterns) {
      const bool used = std::any_of(cases.begin(), cases.end(),
                                    [&pattern](const Case& one) { return pattern_fits(pattern, one.id); });
      if (!used) return pattern;
    }
  }
  return {};
}

bool pattern_fits(std::string_view pattern, std::string_view id) {
  if (pattern == "*" || pattern == id) return true;
  // "6.*" fits 6.1.1, and not 60.1.
  return pattern.ends_with(".*") && id.starts_with(pattern.substr(0, pattern.size() - 1));
}

std::string_view group_title(int group) {
  switch (group) {
    case 1: return "Framing";
    case 2: return "Pings and pongs";
    case 3: return "Reserved bits";
    case 4: return "Reserved opcodes";
    case 5: return "Fragmentation";
    case 6: return "UTF-8";
    case 7: return "Closing handshake";
    case 9: return "Limits and load";
    case 10: return "Automatic fragments";
    case 12: return "Compression: payloads";
    case 13: return "Compression: parameters";
    default: return "";
  }
}

bool id_less(std::string_view left, std::string_view right) { return numbers(left) < numbers(right); }

}  // namespace conform
