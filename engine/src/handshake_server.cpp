// The server's side of the opening handshake (RFC 6455 section 4.2). A request is checked in this
// order, and refused for the first thing that is wrong:
//
//   the head     well-formed, within its limits (HeadReader)
//   the request  GET, HTTP/1.1, a target in origin-form, one valid Host, no body
//   the upgrade  Upgrade there at all, then Upgrade and Connection; version, key, subprotocols,
//                extensions; last the origin, so that a 403 says that all else was well
#include <algorithm>

#include "character.h"
#include "deflate_negotiation.h"
#include "header_list.h"
#include "origin_form.h"
#include "sansock/handshake.h"
#include "text_writer.h"
#include "token_list.h"

namespace sansock {

namespace {

using detail::headers_have_token;

constexpr std::byte tls_handshake_record{22};

bool has_body(const Request& request) noexcept {
  const std::size_t lengths = request.header_count("Content-Length");
  if (request.header_count("Transfer-Encoding") > 0 || lengths > 1) return true;
  return lengths == 1 && *request.header("Content-Length") != "0";
}

errc check_version(const Request& request, bool version_8) noexcept {
  if (request.header_count("Sec-WebSocket-Version") != 1) return errc::version_missing;
  const int version = request.version();
  return version == 13 || (version == 8 && version_8) ? errc::none : errc::version_unsupported;
}

errc check_subprotocols(const Request& request) noexcept {
  detail::TokenSet tokens;
  bool present = false;
  bool valid = true;
  request.for_each_header([&](const Header& line) {
    if (!equal_ignoring_case(line.name, "Sec-WebSocket-Protocol")) return;
    present = true;
    valid = valid && tokens.add_list(line.value);
  });
  return !present || (valid && tokens.size() > 0) ? errc::none : errc::subprotocol_invalid;
}

// Only the grammar: what is offered, and is no extension of ours or can not be accepted, is declined by
// not naming it (RFC 6455 section 9.1, RFC 7692 section 5).
errc check_extensions(const Request& request) noexcept {
  std::size_t headers = 0;
  std::size_t extensions = 0;
  bool valid = true;
  request.for_each_header([&](const Header& line) {
    if (!valid || !equal_ignoring_case(line.name, "Sec-WebSocket-Extensions")) return;
    ++headers;
    std::string_view rest = line.value;
    while (next_extension(rest, valid)) ++extensions;
  });
  return headers == 0 || (valid && extensions > 0) ? errc::none : errc::extension_invalid;
}

// RFC 6455 section 10.2. Only browsers send an origin, and they always do; who does not is no page
// of somebody else's.
errc check_origin(const Request& request, const Config& config) noexcept {
  const std::size_t origins = request.header_count("Origin");
  const std::size_t origins_8 = request.version() == 8 ? request.header_count("Sec-WebSocket-Origin") : 0;
  if (config.origin_policy == OriginPolicy::any || origins + origins_8 == 0) return errc::none;
  if (origins > 1 || origins_8 > 1) return errc::origin_refused;
  const std::string_view origin = request.origin();
  bool allowed = false;
  if (config.origin_policy == OriginPolicy::same_origin) {
    allowed = origin_matches_host(origin, request.host(), config.secure, !config.origin_scheme_any);
  } else {
    allowed = std::any_of(config.origins.begin(), config.origins.end(),
                          [origin](std::string_view entry) { return origins_equal(entry, origin); });
  }
  return allowed ? errc::none : errc::origin_refused;
}

}  // namespace

ServerHandshake::ServerHandshake(const Config& config, Bytes memory) noexcept
    : config_(&config), head_(detail::HeadKind::request, config.limits, memory) {}

std::size_t ServerHandshake::feed(ConstBytes input) noexcept {
  if (state_ != HandshakeState::reading) return 0;
  const bool first = head_.empty();
  const std::size_t taken = head_.feed(input);
  if (head_.error() != errc::none) {
    // RFC 8446 section 5.1: the first record of a TLS handshake has the type 22.
    const bool tls = first && input.front() == tls_handshake_record;
    refuse(tls ? errc::tls_unexpected : head_.error());
  } else if (head_.complete()) {
    request_ = Request(head_.text());
    check_request();
  }
  return taken;
}

void ServerHandshake::refuse(errc cause) noexcept {
  state_ = HandshakeState::refused;
  error_ = cause;
}

void ServerHandshake::check_request() noexcept {
  errc error = check_start_line();
  if (error == errc::none) error = check_headers();
  if (error == errc::none) error = check_upgrade();
  if (error != errc::none) return refuse(error);
  state_ = HandshakeState::complete;
}

// RFC 6455 section 4.2.1, point 1
errc ServerHandshake::check_start_line() const noexcept {
  if (request_.method() != "GET") return errc::method_not_get;
  if (!detail::finishes_with(request_.start_line(), " HTTP/1.1")) return errc::http_version_unsupported;
  return detail::is_origin_form(request_.target()) ? errc::none : errc::target_invalid;
}

errc ServerHandshake::check_headers() const noexcept {
  // RFC 9112 section 3.2: "A server MUST respond with a 400" to no, several or an invalid Host.
  if (request_.header_count("Host") != 1 || !is_host(request_.host())) return errc::host_invalid;
  // A body would lie before the first frame, and nobody would read it.
  return has_body(request_) ? errc::body_unexpected : errc::none;
}

// RFC 6455 section 4.2.1, points 3 to 9. The version comes before all that it may give another form.
errc ServerHandshake::check_upgrade() const noexcept {
  if (request_.header_count("Upgrade") == 0) return errc::upgrade_missing;
  if (!headers_have_token(request_, "Upgrade", "websocket") ||
      !headers_have_token(request_, "Connection", "Upgrade"))
    return errc::upgrade_invalid;
  if (const errc error = check_version(request_, config_->version_8); error != errc::none) return error;
  if (request_.header_count("Sec-WebSocket-Key") != 1 || !is_key(*request_.header("Sec-WebSocket-Key")))
    return errc::key_invalid;
  if (const errc error = check_subprotocols(request_); error != errc::none) return error;
  if (const errc error = check_extensions(request_); error != errc::none) return error;
  return check_origin(request_, *config_);
}

std::optional<DeflateParameters> ServerHandshake::deflate_acceptable(
    const DeflateOptions& options) const noexcept {
  if (state_ != HandshakeState::complete) return std::nullopt;
  const auto answer = detail::choose_deflate_answer(request_, options);
  if (!answer) return std::nullopt;
  return detail::agreed_as_server(*answer);
}

// RFC 6455 section 4.2.2, point 5
errc ServerHandshake::write_accept(const AcceptOptions& options, Bytes out, std::size_t& written,
                                   const DeflateOptions* deflate) const noexcept {
  written = 0;
  if (state_ != HandshakeState::complete) return errc::no_request;
  if (!options.subprotocol.empty() && !request_.offers_subprotocol(options.subprotocol))
    return errc::subprotocol_not_offered;
  if (!std::all_of(options.headers.begin(), options.headers.end(), detail::is_sendable))
    return errc::header_invalid;
  const std::array<char, 28> accept = accept_key(*request_.header("Sec-WebSocket-Key"));
  detail::TextWriter writer(out);
  writer.text("HTTP/1.1 101 Switching Protocols\r\n");
  writer.header("Upgrade", "websocket");
  writer.header("Connection", "Upgrade");
  writer.header("Sec-WebSocket-Accept", {accept.data(), accept.size()});
  if (!options.subprotocol.empty()) writer.header("Sec-WebSocket-Protocol", options.subprotocol);
  // What is not named here is declined.
  if (deflate != nullptr) {
    const auto answer = detail::choose_deflate_answer(request_, *deflate);
    if (answer) detail::write_deflate_terms(*answer, writer);
  }
  for (const Header& header : options.headers) writer.header(header.name, header.value);
  writer.text("\r\n");
  if (writer.full()) return errc::memory_exhausted;
  written = writer.size();
  return errc::none;
}

}  // namespace sansock
