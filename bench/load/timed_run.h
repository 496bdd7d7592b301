// The modes that run for a time: echo, rate, broadcast.
#pragma once

#include "connection.h"
#include "result.h"

namespace load {

// Throws std::runtime_error if a connection fails or an echo is wrong.
Result timed_run(const Plan& plan);

}  // namespace load
