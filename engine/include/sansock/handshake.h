// The opening handshake (RFC 6455 section 4) as two state machines over bytes, one a role.
//
// Most users drive an Endpoint, which puts these in front of a Connection. They are public for
// those who have an HTTP server or client of their own, and for tests.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

#include "sansock/detail/body_reader.h"
#include "sansock/detail/head_reader.h"
#include "sansock/limits.h"
#include "sansock/negotiate.h"

namespace sansock {

struct Header {
  std::string_view name;
  std::string_view value;
};

// The head of an HTTP message: a start line and header lines, as received. All views are into the
// handshake's memory and live as long as the handshake.
class HttpHead {
 public:
  HttpHead() = default;
  // `text` is a whole, checked head: start line and header lines, each ended by CRLF, without the
  // empty line.
  explicit HttpHead(std::string_view text) noexcept;

  std::string_view start_line() const noexcept;
  // The value of the only or first header of this name; nullopt if there is none.
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  // How many headers have this name.
  std::size_t header_count(std::string_view name) const noexcept;
  // Calls visit(Header) for each header line, in order.
  template <class Visit>
  void for_each_header(Visit&& visit) const {
    std::string_view rest = header_lines_;
    for (Header line; take_header(rest, line);) visit(line);
  }
  // Takes the next header line off `rest`, which starts as header_lines().
  static bool take_header(std::string_view& rest, Header& line) noexcept;
  std::string_view header_lines() const noexcept { return header_lines_; }

 private:
  std::string_view text_;
  std::string_view header_lines_;
};

class Request : public HttpHead {
 public:
  using HttpHead::HttpHead;
  std::string_view method() const noexcept;
  std::string_view target() const noexcept;  // origin-form, as sent: path and query
  std::string_view path() const noexcept;    // up to '?', still percent-encoded
  std::string_view query() const noexcept;   // behind '?', or empty
  std::string_view host() const noexcept;    // the Host header
  // 13 or 8, as its one Sec-WebSocket-Version says; 0 where that is missing, repeated or another.
  int version() const noexcept;
  // Origin, for version 8 rather Sec-WebSocket-Origin; empty if none was sent.
  std::string_view origin() const noexcept;
  // The lists as sent (repeated headers: see for_each_header); empty if none was sent.
  std::string_view subprotocols() const noexcept;
  std::string_view extensions() const noexcept;
  // Whether the client offers this subprotocol (case-sensitive, RFC 6455 section 11.5).
  bool offers_subprotocol(std::string_view name) const noexcept;
};

class Response : public HttpHead {
 public:
  using HttpHead::HttpHead;
  std::uint16_t status() const noexcept;  // 0 before there is one
  std::string_view reason() const noexcept;
  std::string_view subprotocol() const noexcept;  // the selected one, or empty
  std::string_view extensions() const noexcept;
  // The kept part of the body of a refusal (Limits::refusal_body_max).
  std::string_view body() const noexcept { return body_; }

 private:
  friend class ClientHandshake;
  std::string_view body_;
};

// How a server accepts.
struct AcceptOptions {
  std::string_view subprotocol = {};     // one of those offered, or none
  std::span<const Header> headers = {};  // extra response headers; checked
  const Config* config = nullptr;        // the connection's; default: that of the handshake
};

// Any other answer of a server: a refusal, a redirect, a page. The connection closes behind it;
// Connection: close, Content-Length and, if there is a body, Content-Type are written for you.
struct HttpResponse {
  std::uint16_t status = 403;            // 200..599; 101 is accept()
  std::span<const Header> headers = {};  // checked; a Content-Type here replaces the default
  std::string_view content_type = "text/plain; charset=utf-8";
  ConstBytes body = {};
};

// The standard reason phrase of a status ("Not Found"), or "Unknown".
std::string_view reason_phrase(std::uint16_t status) noexcept;

// Sec-WebSocket-Accept for a Sec-WebSocket-Key: 28 characters (RFC 6455 section 4.2.2, point 5.4).
std::array<char, 28> accept_key(std::string_view key) noexcept;
// Base64 (RFC 4648 section 4) of 16 bytes: what a Sec-WebSocket-Key is.
std::array<char, 24> encode_key(std::span<const std::byte, 16> nonce) noexcept;
// Whether `key` is the canonical base64 of exactly 16 bytes.
bool is_key(std::string_view key) noexcept;
// Basic credentials (RFC 7617) for "user:password": writes "Basic …" into `out`, which needs
// 6 + 4 * ceil(size / 3) bytes; returns the written part, empty if `out` is too small.
std::string_view basic_credentials(std::string_view user_and_password, std::span<char> out) noexcept;

enum class HandshakeState : std::uint8_t {
  reading,   // more input is needed
  complete,  // server: request() is an acceptable upgrade; client: the server accepted
  refused,   // error() says why
};

// The server's side. Reads a request head into `memory`, checks it, writes the answer.
class ServerHandshake {
 public:
  // `memory` keeps the head: min(memory.size(), Limits::head_bytes_max) bytes of it at most.
  ServerHandshake(const Config& config, Bytes memory) noexcept;

  // Takes input up to the end of the head, or to the byte that makes it malformed, or to the limit.
  // Returns how many bytes were taken: the rest are the connection's first frames.
  std::size_t feed(ConstBytes input) noexcept;
  HandshakeState state() const noexcept { return state_; }
  errc error() const noexcept { return error_; }
  // Valid from the end of the head on; before, and after head errors, all its parts are empty.
  const Request& request() const noexcept { return request_; }

  // What permessage-deflate is if it is accepted with these options: by the first of the request's offers
  // that they allow. nullopt: by none, or the request is not acceptable.
  std::optional<DeflateParameters> deflate_acceptable(const DeflateOptions& options) const noexcept;
  // Writes the 101 answer into `out`; `written` is its size. It accepts permessage-deflate, as
  // deflate_acceptable() says, only if `deflate` is given: who has no codec, or no memory in it, declines.
  // errc: header_invalid, subprotocol_not_offered, no_request, or memory_exhausted if `out` is too small.
  errc write_accept(const AcceptOptions& options, Bytes out, std::size_t& written,
                    const DeflateOptions* deflate = nullptr) const noexcept;
  // Writes the head of any other answer; the body follows it unchanged. errc: header_invalid (also
  // for Connection, Upgrade, Content-Length, Transfer-Encoding, which are written for you),
  // status_invalid (also for a body with 204, 205 or 304), memory_exhausted.
  static errc write_response(const HttpResponse& response, Bytes out, std::size_t& written) noexcept;
  // Writes the default refusal for a cause: status, Sec-WebSocket-Version or Allow where due, and a
  // body of one line. `version_8` is Config::version_8. Returns the size, at most 512 bytes; 0 if
  // `out` is too small.
  static std::size_t write_refusal(errc cause, Bytes out, bool version_8 = true) noexcept;

 private:
  void check_request() noexcept;
  errc check_start_line() const noexcept;
  errc check_headers() const noexcept;
  errc check_upgrade() const noexcept;
  void refuse(errc cause) noexcept;

  const Config* config_;
  detail::HeadReader head_;
  HandshakeState state_ = HandshakeState::reading;
  errc error_ = errc::none;
  Request request_;
};

// What a client asks for. Views must live until write_request() returns, `subprotocols` as long as
// the handshake.
struct ClientRequest {
  std::string_view host;          // the Host header, port included where it is not the default
  std::string_view target = "/";  // path and query
  std::string_view origin = {};   // sent if not empty
  std::span<const std::string_view> subprotocols = {};
  std::span<const Header> headers = {};  // extra ones; those of the handshake itself are refused
  std::string_view authorization = {};   // sent if not empty and not in `headers`
  int version = 13;                      // or 8
};

// The client's side. Writes the request, reads the response, checks it.
class ClientHandshake {
 public:
  // `memory` keeps the head of the response and of a refusal some of its body.
  ClientHandshake(const Config& config, Bytes memory) noexcept;

  // Writes the request into `out`; it offers permessage-deflate if there is a Config::codec. errc:
  // header_invalid for what must not be sent (CR, LF, NUL, a
  // reserved header, a bad subprotocol, host or target, another version than 13 and 8),
  // memory_exhausted if `out` is too small, config_invalid without Config::entropy.
  errc write_request(const ClientRequest& request, Bytes out, std::size_t& written) noexcept;

  // As ServerHandshake::feed(). Answers 100, 102 and 103 are skipped. A refusal is read on until
  // its body is complete or the kept part is full.
  std::size_t feed(ConstBytes input) noexcept;
  // The transport has ended, or the time is over: completes a refusal whose body goes on until then
  // (status_unexpected); before the end of a head: eof_in_handshake.
  void feed_eof() noexcept;
  HandshakeState state() const noexcept { return state_; }
  errc error() const noexcept { return error_; }
  const Response& response() const noexcept { return response_; }
  // What was agreed on permessage-deflate, once the server has accepted all; the server will make use of it.
  const std::optional<DeflateParameters>& deflate() const noexcept { return deflate_; }

 private:
  std::size_t feed_body(ConstBytes input) noexcept;
  void check_response() noexcept;
  errc check_accepted() const noexcept;
  errc check_extensions() noexcept;
  errc check_subprotocol() const noexcept;
  void begin_body() noexcept;
  void refuse(errc cause) noexcept;

  const Config* config_;
  detail::HeadReader head_;
  detail::BodyReader body_;
  std::span<const std::string_view> subprotocols_;
  std::array<char, 28> accept_{};
  std::optional<DeflateParameters> deflate_;
  std::uint8_t interim_ = 0;  // 1xx answers skipped so far
  bool in_body_ = false;
  HandshakeState state_ = HandshakeState::reading;
  errc error_ = errc::none;
  Response response_;
};

}  // namespace sansock
