#include "verdict/verdict.h"

#include <algorithm>
#include <array>

namespace conform {
namespace {

constexpr std::array<std::string_view, verdict_count> names = {
    "OK",     "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED",
    "FAILED", "UNCLEAN",    "WRONG CODE",    "FAILED BY CLIENT"};

}  // namespace

std::string_view name_of(Verdict verdict) { return names[static_cast<std::size_t>(verdict)]; }

std::string word_of(Verdict verdict) {
  std::string word(name_of(verdict));
  std::replace(word.begin(), word.end(), ' ', '_');
  return word;
}

std::optional<Verdict> verdict_from(std::string_view name) {
  std::string spaced(name);
  std::replace(spaced.begin(), spaced.end(), '_', ' ');
  const auto found = std::find(names.begin(), names.end(), spaced);
  if (found == names.end()) return std::nullopt;
  return static_cast<Verdict>(found - names.begin());
}

bool is_failure(Verdict verdict) { return verdict >= Verdict::failed; }

}  // namespace conform
