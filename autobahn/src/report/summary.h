// What a run says on the terminal: a progress line while it runs, a table by group and what is not as it
// should be at its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "report/report.h"
#include "verdict/verdict_file.h"

namespace conform {

// On stderr: rewritten in place on a terminal, a line now and then elsewhere.
class Progress {
 public:
  explicit Progress(std::size_t total);
  void finished(const CaseResult& result);
  void end();

 private:
  void show(const std::string& last);

  std::size_t total_;
  std::size_t done_ = 0;
  std::size_t failed_ = 0;
  bool terminal_;
  std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point shown_;
};

// The table by group, and how long it took.
std::string summary_table(const AgentResults& results);

struct Outcome {
  std::vector<std::string> lines;  // one for each case that is not as it should be
  bool good() const { return lines.empty(); }
};
// With `pinned`: what differs from it. Without (null): what failed.
Outcome outcome_of(const AgentResults& results, const VerdictFile* pinned);

}  // namespace conform
