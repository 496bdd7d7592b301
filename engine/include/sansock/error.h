// Every way in which something can go wrong, as std::error_code.
//
// `errc` is the precise cause; `condition` groups causes by what a caller does about them:
//   if (error == condition::limit_exceeded) ...
#pragma once

#include <cstdint>
#include <system_error>

#include "sansock/types.h"

namespace sansock {

enum class errc : std::uint16_t {
  none = 0,

  // The peer broke the framing (RFC 6455 section 5): condition::protocol_violation, close 1002.
  rsv1_unexpected,          // RSV1 without permessage-deflate, on a control frame or a continuation
  rsv23_unexpected,         // RSV2 or RSV3: no extension defines them
  opcode_reserved,          // 3..7, 11..15
  continuation_unexpected,  // opcode 0 outside a message
  continuation_expected,    // opcode 1 or 2 inside a message
  control_fragmented,       // FIN is 0 on a control frame
  control_too_long,         // payload of a control frame over 125 bytes
  mask_missing,             // an unmasked frame to a server
  mask_unexpected,          // a masked frame to a client
  length_not_minimal,       // a longer length form than needed
  length_top_bit,           // bit 63 of a 64-bit length
  close_payload_too_short,  // a Close frame with a payload of 1 byte
  close_code_invalid,       // a code that must not be on the wire

  // Data that does not mean what its type says: condition::protocol_violation, close 1007.
  utf8_invalid,            // in a text message
  utf8_invalid_in_reason,  // in the reason of a Close frame
  // Also in the group above, with permessage-deflate (RFC 7692):
  compressed_data_invalid,    // no DEFLATE data, or it refers to more than the window holds
  compressed_data_truncated,  // the message ends inside a block

  // Limits: condition::limit_exceeded.
  frame_too_big,             // 1009
  message_too_big,           // 1009
  fragments_too_many,        // 1008
  fragments_empty_too_many,  // 1008
  control_flood,             // 1008: more control frames a second than allowed
  head_too_large,            // HTTP 431
  headers_too_many,          // HTTP 431
  output_full,               // send refused: over Limits::output_bytes_max; nothing changed
  blocks_exhausted,          // the block pool has none left
  memory_exhausted,          // the assembler's memory is at its limit
  codec_exhausted,           // 1011: no memory to decompress a message with

  // Deadlines: condition::timed_out.
  handshake_timeout,      // HTTP 408
  first_message_timeout,  // 1008
  assembly_timeout,       // 1008: one message took too long to arrive
  pong_timeout,           // 1011
  idle_timeout,           // 1001
  close_timeout,          // the peer did not answer or did not leave; transport dropped
  connect_timeout,        // adapters: no transport in time
  output_stall_timeout,   // adapters: the peer did not read for too long

  // The transport: condition::transport_failed.
  eof,               // it ended without a Close frame, at a frame boundary
  eof_in_frame,      // it ended inside a frame or between two fragments
  eof_in_handshake,  // it ended inside the opening handshake
  transport_error,   // reset, broken pipe and the like
  aborted,           // our application ended the connection without a closing handshake
  discard_limit,     // after the close the peer sent more than we are ready to discard

  // TLS, below the opening handshake (sansock/tls.h): condition::tls_failed.
  tls_plain_http,              // a server for TLS was sent plain HTTP
  tls_not_spoken,              // what the peer sends is no TLS
  tls_version_unsupported,     // no version in common
  tls_parameters_unsupported,  // no cipher suite, group or signature algorithm in common
  tls_protocol_unsupported,    // no application protocol (ALPN) in common
  tls_certificate_expired,     // the next seven: the peer's certificate, or one of its chain
  tls_certificate_not_yet_valid,
  tls_certificate_untrusted,  // self-signed, or by somebody who is not among the roots
  tls_certificate_invalid,    // a bad signature, a wrong purpose, a chain that is too long
  tls_host_mismatch,          // it is for other names or addresses
  tls_pin_mismatch,           // none of its keys is pinned
  tls_certificate_missing,    // a server that requires one was given none
  tls_certificate_refused,    // the peer did not accept ours, or requires one
  tls_refused,                // the peer ended it with another alert
  tls_record_invalid,         // a record that was changed on its way, or breaks the protocol
  tls_flood,                  // more records without data, key updates or tickets than allowed
  tls_truncated,              // the transport ended without close_notify
  tls_roots_missing,          // no certificates of authorities are there to trust
  tls_config_invalid,         // a certificate, key or pin that can not be used

  // The opening handshake: condition::handshake_failed.
  tls_unexpected,             // 400: a server without TLS was sent a TLS handshake
  head_malformed,             // 400: not HTTP: bare LF or CR, NUL, obs-fold, bad name, bad start line
  method_not_get,             // 405
  http_version_unsupported,   // 400: not HTTP/1.1
  target_invalid,             // 400: not in origin-form
  host_invalid,               // 400: missing, repeated or malformed
  body_unexpected,            // 400: Content-Length over 0 or Transfer-Encoding
  upgrade_missing,            // 426: a plain request; the application may answer it
  upgrade_invalid,            // 400: Upgrade does not name websocket, or Connection does not name Upgrade
  key_invalid,                // 400: missing, repeated or not the base64 of 16 bytes
  version_missing,            // 400: Sec-WebSocket-Version is missing or repeated
  version_unsupported,        // 426 with Sec-WebSocket-Version: 13, 8
  subprotocol_invalid,        // 400: not a list of distinct tokens
  extension_invalid,          // 400: not an extension list (RFC 6455 section 9.1)
  origin_refused,             // 403
  rejected,                   // the application answered with a status other than 101
  response_malformed,         // client: not an HTTP/1.1 response
  status_unexpected,          // client: a status other than 101
  accept_mismatch,            // client: Sec-WebSocket-Accept is missing, repeated or wrong
  upgrade_header_invalid,     // client: Upgrade is not websocket
  connection_header_invalid,  // client: Connection does not name Upgrade
  subprotocol_unoffered,      // client: the server chose what was not offered, or nothing (see Config)
  extension_unoffered,        // client: the server chose what was not offered
  extension_refused,          // client: the server's parameters of permessage-deflate can not be accepted

  // Misuse by the caller: condition::misuse. Nothing changed.
  not_open,                  // the opening handshake is not complete
  already_closing,           // a Close frame is on its way or the connection has ended
  message_unfinished,        // send() between two send_part() of another message
  message_type_changed,      // send_part() with another type than the first part
  control_payload_too_long,  // ping() with over 125 bytes
  close_code_not_sendable,   // close() with a code that must not be on the wire
  close_reason_too_long,     // close() with over 123 bytes
  close_reason_not_utf8,
  text_not_utf8,            // send() of text that is not UTF-8 (only where Config::check_sent_text)
  message_over_limit,       // send() of more than output_bytes_max can ever hold
  compression_not_agreed,   // send_shared() of a compressed frame that this connection can not send
  role_wrong,               // a call for the other role, for instance send_shared() by a client
  header_invalid,           // a header name or value with CR, LF, NUL or another forbidden byte
  status_invalid,           // respond() with a status that is 101 or not in 200..599
  already_answered,         // accept() or respond() twice
  no_request,               // accept() or respond() with no request waiting
  subprotocol_not_offered,  // accept() with one that the client did not offer
  url_invalid,              // not ws:, wss:, http:, https: or ws+unix:, a fragment, bad characters
  url_scheme_unsupported,   // understood, but not built in, such as wss: without TLS
  entropy_failed,           // the entropy source keeps giving zero masking keys
  config_invalid,           // contradicting limits; see validate()

  count_,  // not an error: how many there are
};

enum class condition : std::uint8_t {
  protocol_violation = 1,
  handshake_failed,
  limit_exceeded,
  timed_out,
  transport_failed,
  misuse,
  tls_failed,
};

const std::error_category& engine_category() noexcept;
const std::error_category& condition_category() noexcept;

inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), engine_category()}; }
inline std::error_condition make_error_condition(condition c) noexcept {
  return {static_cast<int>(c), condition_category()};
}

// The identifier as written above ("mask_missing") and one sentence about it. Never null.
std::string_view name(errc e) noexcept;
std::string_view describe(errc e) noexcept;

// The close code that is sent when a connection fails for this cause. Total: causes for which no
// Close frame is sent give `abnormal`.
CloseCode close_code_for(errc e) noexcept;

// The HTTP status with which a server refuses an opening handshake for this cause. Total: 400 for
// causes that have nothing to do with a request.
std::uint16_t http_status_for(errc e) noexcept;

// The condition that a cause belongs to.
condition condition_for(errc e) noexcept;

}  // namespace sansock

template <>
struct std::is_error_code_enum<sansock::errc> : std::true_type {};
template <>
struct std::is_error_condition_enum<sansock::condition> : std::true_type {};
