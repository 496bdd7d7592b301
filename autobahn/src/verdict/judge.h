// From what happened to the two verdicts.
#pragma once

#include <string>

#include "cases/case.h"
#include "session/result.h"

namespace conform {

// What the lock-step cases and the negotiation decided by themselves.
struct Observed {
  std::vector<Event> events;
  std::optional<Verdict> decided;  // of the behavior; empty: the events decide
  std::string reason;              // why it was decided so
};

// Fills in the verdicts and why. Reads how the connection ended from `result`.
void judge(const Case& test, const Observed& observed, CaseResult& result);

}  // namespace conform
