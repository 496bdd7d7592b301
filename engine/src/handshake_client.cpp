// The client's side of the opening handshake (RFC 6455 section 4.1).
//
//   reading a head --1xx, not 101--> reading a head
//                  --101, all right--> complete
//                  --101, something wrong, or no HTTP--> refused, with what is wrong
//                  --any other status--> reading its body --end--> refused, status_unexpected
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

// Answers 100, 102 and 103 before the final one. RFC 9110 section 15.2 has no limit; a server that
// sends more is playing.
constexpr std::uint8_t interim_max = 8;

// "null", or a serialised origin; never a list.
bool is_sendable_origin(std::string_view origin) noexcept {
  return detail::all_chars(origin, detail::char_visible) && origin.find(',') == origin.npos;
}

bool is_sendable_header(const Header& header) noexcept {
  return detail::is_sendable(header) && !equal_ignoring_case(header.name, "Host") &&
         !equal_ignoring_case(header.name, "Origin");
}

errc check_client_request(const ClientRequest& request) noexcept {
  detail::TokenSet subprotocols;
  const bool sendable = is_host(request.host) && detail::is_origin_form(request.target) &&
                        is_sendable_origin(request.origin) &&
                        std::all_of(request.subprotocols.begin(), request.subprotocols.end(),
                                    [&](std::string_view name) { return subprotocols.add(name); }) &&
                        is_header_value(request.authorization) &&
                        std::all_of(request.headers.begin(), request.headers.end(), is_sendable_header) &&
                        (request.version == 13 || request.version == 8);
  return sendable ? errc::none : errc::header_invalid;
}

void write_subprotocols(std::span<const std::string_view> names, detail::TextWriter& writer) noexcept {
  if (names.empty()) return;
  writer.text("Sec-WebSocket-Protocol: ");
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) writer.text(", ");
    writer.text(names[i]);
  }
  writer.text("\r\n");
}

bool has_header(std::span<const Header> headers, std::string_view name) noexcept {
  return std::any_of(headers.begin(), headers.end(),
                     [name](const Header& header) { return equal_ignoring_case(header.name, name); });
}

bool is_http_1(const Response& response) noexcept {
  return detail::begins_with(response.start_line(), "HTTP/1.");
}

// RFC 9112 section 6.3. A length that is not one number is none: the body then ends with the
// transport.
detail::BodyFraming framing_of(const Response& response, std::uint64_t& length) noexcept {
  using detail::BodyFraming;
  length = 0;
  const std::uint16_t status = response.status();
  if (status < 200 || status == 204 || status == 304) return BodyFraming::length;
  if (response.header_count("Transfer-Encoding") > 0)
    return headers_have_token(response, "Transfer-Encoding", "chunked") ? BodyFraming::chunked
                                                                        : BodyFraming::until_eof;
  if (response.header_count("Content-Length") != 1) return BodyFraming::until_eof;
  const std::string_view digits = *response.header("Content-Length");
  if (digits.empty() || digits.size() > 18) return BodyFraming::until_eof;
  for (const char c : digits) {
    if (!detail::is_digit(static_cast<unsigned char>(c))) return BodyFraming::until_eof;
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return BodyFraming::length;
}

}  // namespace

ClientHandshake::ClientHandshake(const Config& config, Bytes memory) noexcept
    : config_(&config), head_(detail::HeadKind::response, config.limits, memory) {}

errc ClientHandshake::write_request(const ClientRequest& request, Bytes out, std::size_t& written) noexcept {
  written = 0;
  if (config_->entropy == nullptr) return errc::config_invalid;
  if (const errc error = check_client_request(request); error != errc::none) return error;
  std::array<std::byte, 16> nonce;
  config_->entropy->fill(nonce);
  const std::array<char, 24> key = encode_key(nonce);
  const bool version_8 = request.version == 8;
  detail::TextWriter writer(out);
  writer.text("GET ");
  writer.text(request.target);
  writer.text(" HTTP/1.1\r\n");
  writer.header("Host", request.host);
  writer.header("Upgrade", "websocket");
  writer.header("Connection", "Upgrade");
  writer.header("Sec-WebSocket-Key", {key.data(), key.size()});
  writer.header("Sec-WebSocket-Version", version_8 ? "8" : "13");
  if (!request.origin.empty()) writer.header(version_8 ? "Sec-WebSocket-Origin" : "Origin", request.origin);
  write_subprotocols(request.subprotocols, writer);
  if (config_->codec != nullptr)
    detail::write_deflate_terms(detail::make_deflate_offer(config_->deflate), writer);
  if (!request.authorization.empty() && !has_header(request.headers, "Authorization"))
    writer.header("Authorization", request.authorization);
  for (const Header& header : request.headers) writer.header(header.name, header.value);
  writer.text("\r\n");
  if (writer.full()) return errc::memory_exhausted;
  written = writer.size();
  accept_ = accept_key({key.data(), key.size()});
  subprotocols_ = request.subprotocols;
  return errc::none;
}

std::size_t ClientHandshake::feed(ConstBytes input) noexcept {
  std::size_t taken = 0;
  while (state_ == HandshakeState::reading && taken < input.size()) {
    if (in_body_) return taken + feed_body(input.subspan(taken));
    taken += head_.feed(input.subspan(taken));
    if (head_.error() != errc::none) {
      refuse(head_.error() == errc::head_malformed ? errc::response_malformed : head_.error());
    } else if (head_.complete()) {
      response_ = Response(head_.text());
      check_response();
    }
  }
  return taken;
}

std::size_t ClientHandshake::feed_body(ConstBytes input) noexcept {
  const std::size_t taken = body_.feed(input);
  response_.body_ = body_.kept();
  if (body_.complete()) refuse(errc::status_unexpected);
  return taken;
}

void ClientHandshake::feed_eof() noexcept {
  if (state_ == HandshakeState::reading) refuse(in_body_ ? errc::status_unexpected : errc::eof_in_handshake);
}

void ClientHandshake::refuse(errc cause) noexcept {
  state_ = HandshakeState::refused;
  error_ = cause;
  deflate_.reset();
}

void ClientHandshake::check_response() noexcept {
  if (!is_http_1(response_)) return refuse(errc::response_malformed);
  const std::uint16_t status = response_.status();
  if ((status == 100 || status == 102 || status == 103) && interim_ < interim_max) {
    ++interim_;
    response_ = Response();
    return head_.reset();
  }
  if (status != 101) return begin_body();
  errc error = check_accepted();
  if (error == errc::none) error = check_extensions();
  if (error == errc::none) error = check_subprotocol();
  if (error != errc::none) return refuse(error);
  state_ = HandshakeState::complete;
}

void ClientHandshake::begin_body() noexcept {
  in_body_ = true;
  std::uint64_t length = 0;
  const detail::BodyFraming framing = framing_of(response_, length);
  const Bytes memory = head_.memory_left();
  body_.begin(framing, length,
              memory.first(std::min<std::size_t>(memory.size(), config_->limits.refusal_body_max)));
  if (body_.complete()) refuse(errc::status_unexpected);
}

// RFC 6455 section 4.1, points 1 to 4 of what the client must validate.
errc ClientHandshake::check_accepted() const noexcept {
  if (!detail::begins_with(response_.start_line(), "HTTP/1.1 ")) return errc::response_malformed;
  if (!headers_have_token(response_, "Upgrade", "websocket")) return errc::upgrade_header_invalid;
  if (!headers_have_token(response_, "Connection", "Upgrade")) return errc::connection_header_invalid;
  // Byte for byte: base64 is case-sensitive.
  if (response_.header_count("Sec-WebSocket-Accept") != 1 ||
      *response_.header("Sec-WebSocket-Accept") != std::string_view(accept_.data(), accept_.size()))
    return errc::accept_mismatch;
  return errc::none;
}

// Point 5.
errc ClientHandshake::check_extensions() noexcept {
  if (config_->codec != nullptr) return detail::check_deflate_answer(response_, config_->deflate, deflate_);
  // Nothing was offered, so every extension is one too many; also a header that names none.
  return response_.header_count("Sec-WebSocket-Extensions") > 0 ? errc::extension_unoffered : errc::none;
}

// Point 6.
errc ClientHandshake::check_subprotocol() const noexcept {
  const std::size_t count = response_.header_count("Sec-WebSocket-Protocol");
  if (count == 0) {
    const bool acceptable = subprotocols_.empty() || config_->subprotocol_optional;
    return acceptable ? errc::none : errc::subprotocol_unoffered;
  }
  const bool offered = count == 1 && std::find(subprotocols_.begin(), subprotocols_.end(),
                                               response_.subprotocol()) != subprotocols_.end();
  return offered ? errc::none : errc::subprotocol_unoffered;
}

}  // namespace sansock
