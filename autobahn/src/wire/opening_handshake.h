// Both sides of the opening handshake (RFC 6455 section 4), on whole heads.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/permessage_deflate.h"

namespace conform {

// A head that has not ended after so many octets is refused.
inline constexpr std::size_t head_size_max = 65536;

// How many octets the head has, its empty line included. Empty: it has not ended.
std::optional<std::size_t> head_size(std::string_view received);

struct HttpHead {
  std::string start_line;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, as they came

  // Several headers of a name are one list (RFC 9110 section 5.3). Empty: there is none.
  std::optional<std::string> value(std::string_view name) const;
  // Whether a comma-separated header holds a token, in any case.
  bool has_token(std::string_view name, std::string_view token) const;
};

// Empty: it is not the head of an HTTP/1.1 message.
std::optional<HttpHead> parse_head(std::string_view head);

std::string random_websocket_key(std::mt19937_64& random);
std::string accept_of(std::string_view key);

// --- the kit is the client ------------------------------------------------------------------------
struct Target {
  std::string host;
  std::string port;
  std::string resource;
  bool tls = false;

  std::string authority() const { return host + ":" + port; }
  // As the resolver and certificates write it: an IPv6 address without its brackets.
  std::string bare_host() const;
};

std::string write_request(const Target& target, std::string_view key,
                          const std::vector<DeflateParameters>& offers);

struct HandshakeOutcome {
  std::string problem;  // why it failed; empty if it did not
  std::optional<DeflateParameters> deflate;
};

// Judges the response to write_request().
HandshakeOutcome check_response(const HttpHead& head, std::string_view key,
                                const std::vector<DeflateParameters>& offers);

// --- the kit is the server ------------------------------------------------------------------------
struct Request {
  std::string path;
  std::map<std::string, std::string> query;  // decoded
  std::string key;
  std::vector<ExtensionElement> extensions;
  std::string problem;  // why it is not an opening handshake; empty if it is
};

Request read_request(const HttpHead& head);
std::string write_response(std::string_view key, const std::optional<DeflateParameters>& deflate);
std::string write_refusal(int status, std::string_view reason, std::string_view text);

}  // namespace conform
