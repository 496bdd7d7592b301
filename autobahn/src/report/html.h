// Results as pages for a reader.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "session/result.h"

namespace conform {

// One case: what was expected and why, what was sent, what came back.
std::string case_page(const CaseResult& result);
// All agents of an index.json side by side, each verdict a link to its page.
std::string overview_page(const nlohmann::json& index, Role role);

}  // namespace conform
