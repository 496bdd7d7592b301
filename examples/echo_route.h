// The echo that echo_server and chat serve.
#pragma once

#include <cstdint>

#include "sansock/server.h"

namespace examples {

// Gives every message back as it came, of at most `message_size_max` bytes. Never holds more of a
// message than one read: what came in one run goes back in one frame, larger messages are streamed.
sansock::Route echo_route(std::uint64_t message_size_max);

}  // namespace examples
