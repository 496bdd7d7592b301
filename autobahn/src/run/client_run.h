// The kit as fuzzing server: clients under test fetch the cases one by one, as the original testsuite lets
// them.
//
//     /getCaseCount                    how many cases there are, as text
//     /runCase?case=N&agent=NAME       runs the N-th (or casetuple=1.1.1)
//     /getCaseInfo?case=N              its id and description, as JSON
//     /getCaseStatus?case=N&agent=NAME how the last run of it went, as JSON
//     /updateReports?agent=NAME        writes the reports (&shutdownOnComplete=true: and ends the program)
//     /stopServer                      ends the program
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cases/case.h"
#include "report/report.h"
#include "wire/tls_channel.h"

namespace conform {

struct ClientPlan {
  std::string host;
  int port = 0;
  const TlsContext* tls = nullptr;  // null: plain TCP
  std::vector<const Case*> cases;
  double patience = 1;
  bool once = false;  // ends after the first /updateReports
  const volatile bool* stop = nullptr;
  // Called at /updateReports with all results so far; what it returns is told to the client if it is not
  // empty.
  std::function<std::string(const std::map<std::string, AgentResults>&)> update_reports;
  std::function<void(int port)> ready;
};

// The results by agent, when it has ended. `problem`: why it could not listen.
std::map<std::string, AgentResults> test_clients(const ClientPlan& plan, std::string& problem);

}  // namespace conform
