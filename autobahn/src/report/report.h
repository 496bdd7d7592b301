// The results of a run, by agent and case, and the files that tell them: index.json in the shape of the
// original testsuite, one JSON and one HTML page a case, and an overview of all agents.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cases/catalogue.h"
#include "session/result.h"

namespace conform {

struct CaseOrder {
  bool operator()(const std::string& left, const std::string& right) const { return id_less(left, right); }
};
using AgentResults = std::map<std::string, CaseResult, CaseOrder>;

// "My Agent", "1.2.3", "json" -> "my_agent_case_1_2_3.json"
std::string report_file_name(std::string_view agent, std::string_view case_id, std::string_view extension);

// Writes the pages of these results into `directory` (made if missing). Agents that an index.json there
// already names stay in the overview; those written now replace their former results. Throws
// std::runtime_error with what could not be written.
void write_reports(const std::string& directory, const std::map<std::string, AgentResults>& results,
                   Role role);

}  // namespace conform
