// What client and server agree on for permessage-deflate (RFC 7692 section 7.1).
#pragma once

#include <string>
#include <string_view>

namespace load {

// on: both sides may keep their context; no_context: each message of both sides stands alone.
enum class Deflate { off, on, no_context };

struct DeflateAgreement {
  bool compressed = false;  // or without the extension
  bool client_no_context_takeover = false;
  bool server_no_context_takeover = false;
  int client_window_bits = 15;
  int server_window_bits = 15;

  bool operator==(const DeflateAgreement&) const = default;
};

// The value of Sec-WebSocket-Extensions in the request; empty for `off`.
std::string deflate_offer(Deflate deflate);
// What the answer of a server, its head with all lines, says to the offer. Throws std::runtime_error
// if it is wrong, or can not be used.
DeflateAgreement read_deflate_answer(Deflate deflate, std::string_view head);
// As the answer would have it, for people.
std::string describe(const DeflateAgreement& agreement);

}  // namespace load
