// Runs seeds in several processes, sums up what they did, and reports the first violation.
#pragma once

#include <string>

#include "world.h"

namespace sansock::sim {

struct RunOptions {
  std::uint64_t from = 0;
  std::uint64_t seeds = 1000;  // 0: no end but the time's
  double seconds = 0;          // 0: no end but the number's
  unsigned jobs = 1;
  bool progress = false;
};

// One seed, in this process.
struct SeedResult {
  Stats stats;
  std::uint64_t hash = 0;
  std::string checker;  // empty if nothing was violated
  std::string report;   // seed, knobs, the last part of the trace, the command that replays it
};
SeedResult run_seed(std::uint64_t seed, bool trace = false);
SeedResult run_seed(const Knobs& knobs, bool trace = false);

struct RunResult {
  Stats stats;
  std::uint64_t hash = 0;  // of all traces, in any order
  bool failed = false;
};
// Violations go to standard error.
RunResult run_seeds(const RunOptions& options);

// The last line of a run.
std::string summary(const RunResult& result);

}  // namespace sansock::sim
