// Results as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "session/result.h"

namespace conform {

// One case, with the keys of the original testsuite where it has one.
nlohmann::json case_json(const CaseResult& result);
// What index.json says of it.
nlohmann::json index_entry(const CaseResult& result);

}  // namespace conform
