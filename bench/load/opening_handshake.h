// The opening handshake of the client (RFC 6455 section 4.1).
#pragma once

#include <string>
#include <string_view>

#include "options.h"

namespace load {

// The key is always the same, so that the answer to it is known.
std::string make_request(const Options& options);
// Empty if the answer accepts; else what is wrong with it. Its extensions are judged elsewhere.
std::string judge_answer(std::string_view head);

}  // namespace load
