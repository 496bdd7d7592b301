#include "verdict/verdict_file.h"

#include <fstream>
#include <iterator>
#include <sstream>

#include "cases/catalogue.h"

namespace conform {

std::optional<VerdictFile> VerdictFile::parse(std::string_view text, std::string& problem) {
  VerdictFile file;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    line.resize(std::min(line.find('#'), line.size()));
    std::istringstream words(line);
    std::string pattern, behavior, behavior_close, more;
    if (!(words >> pattern)) continue;
    const bool three = (words >> behavior >> behavior_close) && !(words >> more);
    const auto first = verdict_from(behavior);
    const auto second = verdict_from(behavior_close);
    if (!three || !first || !second) {
      problem = "line " + std::to_string(number) +
                ": expected PATTERN BEHAVIOR BEHAVIORCLOSE, as in '7.1.6 INFORMATIONAL INFORMATIONAL'";
      return std::nullopt;
    }
    file.lines_.push_back({pattern, {*first, *second}});
  }
  return file;
}

std::optional<VerdictFile> VerdictFile::read(const std::string& path, std::string& problem) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    problem = "can not be read";
    return std::nullopt;
  }
  return parse(std::string(std::istreambuf_iterator<char>(stream), {}), problem);
}

std::optional<Verdicts> VerdictFile::expected(std::string_view id) const {
  for (auto line = lines_.rbegin(); line != lines_.rend(); ++line) {
    if (pattern_fits(line->pattern, id)) return line->verdicts;
  }
  return std::nullopt;
}

std::string VerdictFile::difference(std::string_view id, const Verdicts& verdicts) const {
  const auto pinned = expected(id);
  if (pinned == verdicts) return {};
  const std::string found = word_of(verdicts.behavior) + " " + word_of(verdicts.behavior_close);
  if (!pinned) return found + ", and nothing is pinned";
  return found + ", pinned is " + word_of(pinned->behavior) + " " + word_of(pinned->behavior_close);
}

}  // namespace conform
