#include "report/summary.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

namespace conform {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds terminal_interval{100};
constexpr std::chrono::seconds plain_interval{10};

struct Tally {
  std::size_t cases = 0;
  std::array<std::size_t, verdict_count> behavior{};
  std::size_t failed = 0;
  std::size_t cut_off = 0;  // TLS without its end
  Duration slowest{};
  std::string slowest_id;
};

void count(Tally& tally, const CaseResult& result) {
  ++tally.cases;
  if (result.cut_off) ++tally.cut_off;
  if (result.verdicts.failed()) {
    ++tally.failed;
  } else {
    ++tally.behavior[static_cast<std::size_t>(result.verdicts.behavior)];
  }
  if (result.duration >= tally.slowest) {
    tally.slowest = result.duration;
    tally.slowest_id = result.case_id;
  }
}

std::string row(std::string_view name, const Tally& tally) {
  const auto of = [&](Verdict verdict) { return tally.behavior[static_cast<std::size_t>(verdict)]; };
  return fmt::format("{:<27}{:>6}{:>6}{:>12}{:>15}{:>15}{:>8}   {:.2f} s ({})\n", name, tally.cases,
                     of(Verdict::ok), of(Verdict::non_strict), of(Verdict::informational),
                     of(Verdict::unimplemented), tally.failed,
                     std::chrono::duration<double>(tally.slowest).count(), tally.slowest_id);
}

// From the first connection to the last end.
struct Span {
  std::size_t cases = 0;
  Clock::time_point begin = Clock::time_point::max();
  Clock::time_point end = Clock::time_point::min();

  void add(const CaseResult& result) {
    ++cases;
    begin = std::min(begin, result.begun);
    end = std::max(end, result.ended);
  }
  std::string text() const {
    const double seconds = cases == 0 ? 0 : std::chrono::duration<double>(end - begin).count();
    return fmt::format("{} cases in {:.2f} s", cases, seconds);
  }
};

// Those that the standard is about, apart from those that move much.
std::string times(const AgentResults& results) {
  Span all, rules;
  for (const auto& [id, result] : results) {
    all.add(result);
    const int group = std::atoi(id.c_str());
    if (group <= 7 || group == 10) rules.add(result);
  }
  return fmt::format("groups 1-7 and 10: {}; all: {}\n", rules.text(), all.text());
}

}  // namespace

Progress::Progress(std::size_t total)
    : total_(total), terminal_(isatty(STDERR_FILENO) == 1), began_(Clock::now()), shown_(began_) {}

void Progress::finished(const CaseResult& result) {
  ++done_;
  if (result.verdicts.failed()) ++failed_;
  const auto now = Clock::now();
  if (now - shown_ < (terminal_ ? Clock::duration(terminal_interval) : Clock::duration(plain_interval)))
    return;
  shown_ = now;
  show(result.case_id);
}

void Progress::show(const std::string& last) {
  const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  const std::string total = total_ == 0 ? "" : fmt::format("/{}", total_);
  const std::string line =
      fmt::format("{}{} cases, {} failed, {:.1f} s, last {}", done_, total, failed_, seconds, last);
  fmt::print(stderr, "{}{}{}", terminal_ ? "\r\x1b[K" : "conform: ", line, terminal_ ? "" : "\n");
  std::fflush(stderr);
}

void Progress::end() {
  if (terminal_) fmt::print(stderr, "\r\x1b[K");
}

std::string summary_table(const AgentResults& results) {
  std::map<int, Tally> groups;
  Tally all;
  for (const auto& [id, result] : results) {
    count(groups[std::atoi(id.c_str())], result);
    count(all, result);
  }
  std::string text = fmt::format("{:<27}{:>6}{:>6}{:>12}{:>15}{:>15}{:>8}   {}\n", "group", "cases", "OK",
                                 "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "failed", "slowest");
  for (const auto& [group, tally] : groups)
    text += row(fmt::format("{:>2} {}", group, group_title(group)), tally);
  text += row("all", all);
  if (all.cut_off != 0) text += fmt::format("{} connections were ended without close_notify\n", all.cut_off);
  return text + times(results);
}

Outcome outcome_of(const AgentResults& results, const VerdictFile* pinned) {
  Outcome outcome;
  for (const auto& [id, result] : results) {
    if (pinned != nullptr) {
      const std::string difference = pinned->difference(id, result.verdicts);
      if (difference.empty()) continue;
      outcome.lines.push_back(
          fmt::format("{}: {}. {} {}", id, difference, result.result, result.result_close));
    } else if (result.verdicts.failed()) {
      outcome.lines.push_back(fmt::format("{}: {} {}. {} {}", id, word_of(result.verdicts.behavior),
                                          word_of(result.verdicts.behavior_close), result.result,
                                          result.result_close));
    }
  }
  return outcome;
}

}  // namespace conform
