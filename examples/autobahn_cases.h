// The client's side of a fuzzing server (the Autobahn testsuite's, or one that speaks like it).
#pragma once

#include <string>

#include "sansock/client.h"

namespace examples {

// Asks `url`/getCaseCount, echoes through each /runCase?case=N&agent=A, then /updateReports?agent=A.
// `jobs` cases run side by side, a thread each: where time limits dominate, that saves the waiting.
// Shows progress on stderr. The exit code: 0 when every case was run; the verdicts are the server's.
int run_autobahn_cases(const sansock::ClientOptions& options, const std::string& url,
                       const std::string& agent, unsigned jobs);

}  // namespace examples
