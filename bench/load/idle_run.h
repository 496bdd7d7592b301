// The mode that opens connections, holds them, and looks at the server's memory.
#pragma once

#include "connection.h"
#include "result.h"

namespace load {

// Throws std::runtime_error if a connection fails or an echo is wrong.
Result idle_run(const Plan& plan);

}  // namespace load
