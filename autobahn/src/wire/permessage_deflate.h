// What is offered, asked for and agreed of permessage-deflate (RFC 7692 section 7.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conform {

struct DeflateParameters {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::optional<int> server_max_window_bits;
  std::optional<int> client_max_window_bits;
  bool client_max_window_bits_bare = false;  // in an offer: the client knows it, and names no value

  bool client_knows_window_bits() const {
    return client_max_window_bits_bare || client_max_window_bits.has_value();
  }
  friend bool operator==(const DeflateParameters&, const DeflateParameters&) = default;
};

// One element of a Sec-WebSocket-Extensions header.
std::string describe(const DeflateParameters& parameters);

// One extension with its parameters as they stand in the header, unknown ones included.
struct ExtensionElement {
  std::string name;
  std::vector<std::pair<std::string, std::optional<std::string>>> parameters;
};

// The list of a Sec-WebSocket-Extensions header. Empty: it is not well-formed.
std::optional<std::vector<ExtensionElement>> parse_extensions(std::string_view header);

// The parameters of a permessage-deflate element. Empty: an unknown, repeated or malformed one is among them.
std::optional<DeflateParameters> read_offer(const ExtensionElement& element);
std::optional<DeflateParameters> read_response(const ExtensionElement& element);

// What the kit as a server asks of the client, on top of what the client asks of it.
struct DeflateDemand {
  bool client_no_context_takeover = false;
  std::optional<int> client_max_window_bits;
};

// The first of the offers that the first possible of the demands can be met with. Empty: none can.
std::optional<DeflateParameters> accept_offer(const std::vector<ExtensionElement>& offers,
                                              const std::vector<DeflateDemand>& demands);

}  // namespace conform
