#include "wire/opening_handshake.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace conform {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string base64(std::string_view octets) {
  std::string text(BASE64_ENCODE_RAW_LENGTH(octets.size()), '\0');
  nettle_base64_encode_raw(text.data(), octets.size(), reinterpret_cast<const std::uint8_t*>(octets.data()));
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char small = static_cast<char>(c | 0x20);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

std::string url_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped =
        text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    if (escaped) {
      result.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
      i += 2;
    } else {
      result.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return result;
}

void read_target(std::string_view target, Request& request) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.path = url_decoded(target.substr(0, mark));
  std::string_view rest = target.substr(std::min(mark + 1, target.size()));
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    request.query[url_decoded(pair.substr(0, equals))] =
        url_decoded(pair.substr(std::min(equals + 1, pair.size())));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
  }
}

// RFC 6455 section 4.2.1: what the request has to be.
std::string request_problem(const HttpHead& head, bool is_get, const std::string& key) {
  if (!is_get) return "it is not a GET request of HTTP/1.1";
  if (!head.has_token("upgrade", "websocket")) return "it has no 'Upgrade: websocket'";
  if (!head.has_token("connection", "upgrade")) return "it has no 'Connection: Upgrade'";
  if (!head.value("host")) return "it has no Host header";
  if (head.value("sec-websocket-version") != "13") return "its Sec-WebSocket-Version is not 13";
  if (key.size() != 24 || !key.ends_with("==")) return "its Sec-WebSocket-Key is not 16 octets in Base64";
  return {};
}

}  // namespace

std::optional<std::size_t> head_size(std::string_view received) {
  const std::size_t end = received.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  return end + 4;
}

std::optional<std::string> HttpHead::value(std::string_view name) const {
  std::optional<std::string> found;
  for (const auto& [header, text] : headers) {
    if (header == name) found = found ? *found + ", " + text : text;
  }
  return found;
}

bool HttpHead::has_token(std::string_view name, std::string_view token) const {
  const auto list = value(name);
  std::string_view rest = list ? std::string_view(*list) : std::string_view();
  while (!rest.empty()) {
    const std::string_view element = rest.substr(0, rest.find(','));
    if (lower(trim(element)) == token) return true;
    rest.remove_prefix(std::min(element.size() + 1, rest.size()));
  }
  return false;
}

std::optional<HttpHead> parse_head(std::string_view head) {
  HttpHead result;
  bool first = true;
  while (!head.empty()) {
    const std::size_t end = head.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (first) {
      result.start_line = line;
      first = false;
    } else if (!line.empty()) {
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos || colon == 0) return std::nullopt;
      result.headers.emplace_back(lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
    }
  }
  if (result.start_line.empty()) return std::nullopt;
  return result;
}

std::string random_websocket_key(std::mt19937_64& random) {
  std::string octets(16, '\0');
  for (char& octet : octets) octet = static_cast<char>(random() & 0xFF);
  return base64(octets);
}

std::string accept_of(std::string_view key) {
  // RFC 6455 section 1.3.
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  sha1_ctx context;
  sha1_init(&context);
  sha1_update(&context, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()));
  std::array<std::uint8_t, SHA1_DIGEST_SIZE> digest;
  sha1_digest(&context, digest.size(), digest.data());
  return base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string Target::bare_host() const {
  return host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
}

std::string write_request(const Target& target, std::string_view key,
                          const std::vector<DeflateParameters>& offers) {
  std::string text = "GET " + target.resource + " HTTP/1.1\r\n";
  text += "User-Agent: sansock-conform\r\n";
  text += "Host: " + target.authority() + "\r\n";
  // In capitals on purpose: the token is to be compared without regard to case.
  text += "Upgrade: WebSocket\r\nConnection: Upgrade\r\n";
  text += "Pragma: no-cache\r\nCache-Control: no-cache\r\n";
  text.append("Sec-WebSocket-Key: ").append(key).append("\r\n");
  for (std::size_t i = 0; i < offers.size(); ++i) {
    text += (i == 0 ? "Sec-WebSocket-Extensions: " : ", ") + describe(offers[i]);
  }
  if (!offers.empty()) text += "\r\n";
  return text + "Sec-WebSocket-Version: 13\r\n\r\n";
}

namespace {

HandshakeOutcome check_extensions(const std::string& header, bool offered) {
  const auto elements = parse_extensions(header);
  if (!elements) return {"Sec-WebSocket-Extensions is not well-formed: " + header, {}};
  HandshakeOutcome outcome;
  for (const ExtensionElement& element : *elements) {
    if (!offered || element.name != "permessage-deflate" || outcome.deflate) {
      return {"the server speaks of an extension that was not offered: " + header, {}};
    }
    outcome.deflate = read_response(element);
    if (!outcome.deflate) return {"an unknown, repeated or malformed extension parameter: " + header, {}};
  }
  return outcome;
}

}  // namespace

HandshakeOutcome check_response(const HttpHead& head, std::string_view key,
                                const std::vector<DeflateParameters>& offers) {
  if (!head.start_line.starts_with("HTTP/1.1 101"))
    return {"the server answered '" + head.start_line + "'", {}};
  if (!head.has_token("upgrade", "websocket")) return {"the response has no 'Upgrade: websocket'", {}};
  if (!head.has_token("connection", "upgrade")) return {"the response has no 'Connection: Upgrade'", {}};
  const auto accept = head.value("sec-websocket-accept");
  if (accept != accept_of(key))
    return {"Sec-WebSocket-Accept is '" + accept.value_or("") + "', not " + accept_of(key), {}};
  if (head.value("sec-websocket-protocol"))
    return {"the server chose a subprotocol that was not offered", {}};
  const auto extensions = head.value("sec-websocket-extensions");
  if (!extensions) return {};
  return check_extensions(*extensions, !offers.empty());
}

Request read_request(const HttpHead& head) {
  Request request;
  const std::string_view line = head.start_line;
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  const bool is_get = line.starts_with("GET ") && line.ends_with(" HTTP/1.1") && first < last;
  if (is_get) read_target(line.substr(first + 1, last - first - 1), request);
  request.key = head.value("sec-websocket-key").value_or("");
  request.problem = request_problem(head, is_get, request.key);
  const auto extensions = parse_extensions(head.value("sec-websocket-extensions").value_or(""));
  if (!extensions && request.problem.empty())
    request.problem = "its Sec-WebSocket-Extensions is not well-formed";
  if (extensions) request.extensions = *extensions;
  return request;
}

std::string write_response(std::string_view key, const std::optional<DeflateParameters>& deflate) {
  std::string text = "HTTP/1.1 101 Switching Protocols\r\nServer: sansock-conform\r\n";
  text += "Upgrade: WebSocket\r\nConnection: Upgrade\r\n";
  text += "Sec-WebSocket-Accept: " + accept_of(key) + "\r\n";
  if (deflate) text += "Sec-WebSocket-Extensions: " + describe(*deflate) + "\r\n";
  return text + "\r\n";
}

std::string write_refusal(int status, std::string_view reason, std::string_view text) {
  std::string answer = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason) + "\r\n";
  answer += "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n";
  answer += "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n";
  return answer.append(text);
}

}  // namespace conform
