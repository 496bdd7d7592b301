// The kit as client: runs cases against a server under test, many side by side.
#pragma once

#include <string>
#include <vector>

#include "cases/case.h"
#include "report/report.h"
#include "wire/opening_handshake.h"
#include "wire/tls_channel.h"

namespace conform {

// "ws://host:port/path", or "wss://…", into its parts. Empty: it is no such URL, `problem` says what to do.
std::optional<Target> parse_target(const std::string& url, std::string& problem);

struct ServerPlan {
  Target target;
  const TlsContext* tls = nullptr;  // null: plain TCP
  std::string agent;
  std::vector<const Case*> cases;
  unsigned jobs = 1;
  double patience = 1;
  const volatile bool* stop = nullptr;  // ends it early
};

// The results of the cases that could be run. `problem`: why it ended early, if it did.
AgentResults test_server(const ServerPlan& plan, std::string& problem);

}  // namespace conform
