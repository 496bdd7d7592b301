#include "sansock/error.h"

#include <iterator>

#include "error_message.h"

namespace sansock {

namespace {

struct Row {
  errc code;
  std::string_view name;
  condition group;
  CloseCode close;
  std::uint16_t http_status;
  std::string_view text;
};

constexpr auto no_condition = static_cast<condition>(0);
constexpr auto violation = condition::protocol_violation;
constexpr auto handshake = condition::handshake_failed;
constexpr auto limit = condition::limit_exceeded;
constexpr auto timeout = condition::timed_out;
constexpr auto transport = condition::transport_failed;
constexpr auto misuse = condition::misuse;
constexpr auto tls = condition::tls_failed;

constexpr auto no_close = CloseCode::abnormal;
constexpr auto protocol = CloseCode::protocol_error;
constexpr auto payload = CloseCode::invalid_payload;
constexpr auto policy = CloseCode::policy_violation;
constexpr auto too_big = CloseCode::message_too_big;
constexpr auto internal = CloseCode::internal_error;
constexpr auto away = CloseCode::going_away;

// The name comes from the code itself, so that they cannot differ.
#define SANSOCK_ROW(code, group, close, http_status, text) \
  Row { errc::code, #code, group, close, http_status, text }

// The text of causes for which a server refuses a handshake is also the body of the refusal.
// Not std::array by deduction: g++ 12 puts that into writable memory.
constexpr Row rows[] = {
    SANSOCK_ROW(none, no_condition, no_close, 400, "No error."),

    SANSOCK_ROW(rsv1_unexpected, violation, protocol, 400,
                "A frame has the bit RSV1 set where no extension gives it a meaning."),
    SANSOCK_ROW(rsv23_unexpected, violation, protocol, 400,
                "A frame has the bit RSV2 or RSV3 set, which no extension defines."),
    SANSOCK_ROW(opcode_reserved, violation, protocol, 400, "A frame has a reserved opcode."),
    SANSOCK_ROW(continuation_unexpected, violation, protocol, 400,
                "A continuation frame came where no message was begun."),
    SANSOCK_ROW(continuation_expected, violation, protocol, 400,
                "A new message began before the last one was complete."),
    SANSOCK_ROW(control_fragmented, violation, protocol, 400, "A control frame is fragmented."),
    SANSOCK_ROW(control_too_long, violation, protocol, 400, "A control frame is longer than 125 bytes."),
    SANSOCK_ROW(mask_missing, violation, protocol, 400, "A client sent a frame without a mask."),
    SANSOCK_ROW(mask_unexpected, violation, protocol, 400, "A server sent a masked frame."),
    SANSOCK_ROW(length_not_minimal, violation, protocol, 400,
                "The length of a frame is in a longer form than needed."),
    SANSOCK_ROW(length_top_bit, violation, protocol, 400, "The length of a frame has its top bit set."),
    SANSOCK_ROW(close_payload_too_short, violation, protocol, 400,
                "A Close frame has a payload of one byte; a code needs two."),
    SANSOCK_ROW(close_code_invalid, violation, protocol, 400,
                "A Close frame has a code that must not be sent."),

    SANSOCK_ROW(utf8_invalid, violation, payload, 400, "A text message is not valid UTF-8."),
    SANSOCK_ROW(utf8_invalid_in_reason, violation, payload, 400,
                "The reason in a Close frame is not valid UTF-8."),
    SANSOCK_ROW(compressed_data_invalid, violation, payload, 400,
                "A compressed message is no DEFLATE data, or refers to more than its window holds."),
    SANSOCK_ROW(compressed_data_truncated, violation, payload, 400,
                "A compressed message ends inside a block."),

    SANSOCK_ROW(frame_too_big, limit, too_big, 400, "A frame is larger than allowed."),
    SANSOCK_ROW(message_too_big, limit, too_big, 400, "A message is larger than allowed."),
    SANSOCK_ROW(fragments_too_many, limit, policy, 400, "A message has more fragments than allowed."),
    SANSOCK_ROW(fragments_empty_too_many, limit, policy, 400,
                "A message has more empty fragments than allowed."),
    SANSOCK_ROW(control_flood, limit, policy, 400, "More control frames came within a second than allowed."),
    SANSOCK_ROW(head_too_large, limit, no_close, 431, "The head of the HTTP message is larger than allowed."),
    SANSOCK_ROW(headers_too_many, limit, no_close, 431, "The HTTP message has more headers than allowed."),
    SANSOCK_ROW(output_full, limit, no_close, 400, "The queue of unsent output is full; nothing was sent."),
    SANSOCK_ROW(blocks_exhausted, limit, internal, 503, "There is no memory for another connection."),
    SANSOCK_ROW(memory_exhausted, limit, too_big, 400, "There is not enough memory for this message."),
    SANSOCK_ROW(codec_exhausted, limit, internal, 503, "There is no memory to decompress a message with."),

    SANSOCK_ROW(handshake_timeout, timeout, no_close, 408,
                "The opening handshake was not complete within its time."),
    SANSOCK_ROW(first_message_timeout, timeout, policy, 400, "The first message did not come in time."),
    SANSOCK_ROW(assembly_timeout, timeout, policy, 400, "A message was not complete within its time."),
    SANSOCK_ROW(pong_timeout, timeout, internal, 400, "A Ping was not answered in time."),
    SANSOCK_ROW(idle_timeout, timeout, away, 400, "The connection was silent for too long."),
    SANSOCK_ROW(close_timeout, timeout, no_close, 400,
                "The closing handshake was not complete within its time."),
    SANSOCK_ROW(connect_timeout, timeout, no_close, 400, "The transport was not connected in time."),
    SANSOCK_ROW(output_stall_timeout, timeout, no_close, 400, "The peer did not read for too long."),

    SANSOCK_ROW(eof, transport, no_close, 400, "The transport ended without a Close frame."),
    SANSOCK_ROW(eof_in_frame, transport, no_close, 400, "The transport ended inside a frame or a message."),
    SANSOCK_ROW(eof_in_handshake, transport, no_close, 400,
                "The transport ended inside the opening handshake."),
    SANSOCK_ROW(transport_error, transport, no_close, 400, "The transport failed."),
    SANSOCK_ROW(aborted, transport, no_close, 503, "The connection was ended without a closing handshake."),
    SANSOCK_ROW(discard_limit, transport, no_close, 400,
                "The peer sent too much after the connection was closed."),

    SANSOCK_ROW(tls_plain_http, tls, no_close, 400,
                "Plain HTTP was sent to a port for TLS: use https:// or wss://."),
    SANSOCK_ROW(tls_not_spoken, tls, no_close, 400, "The peer does not speak TLS on this port."),
    SANSOCK_ROW(tls_version_unsupported, tls, no_close, 400, "The peers have no version of TLS in common."),
    SANSOCK_ROW(tls_parameters_unsupported, tls, no_close, 400,
                "The peers have no TLS cipher suite, group or signature algorithm in common."),
    SANSOCK_ROW(tls_protocol_unsupported, tls, no_close, 400,
                "The peers have no application protocol (ALPN) in common."),
    SANSOCK_ROW(tls_certificate_expired, tls, no_close, 400,
                "The peer's certificate, or one that it depends on, has expired."),
    SANSOCK_ROW(tls_certificate_not_yet_valid, tls, no_close, 400,
                "The peer's certificate, or one that it depends on, is not valid yet."),
    SANSOCK_ROW(tls_certificate_untrusted, tls, no_close, 400,
                "The peer's certificate is self-signed, or comes from an authority that is not trusted."),
    SANSOCK_ROW(tls_certificate_invalid, tls, no_close, 400,
                "The peer's certificate can not be used for this: bad signature, purpose or chain."),
    SANSOCK_ROW(tls_host_mismatch, tls, no_close, 400,
                "The server's certificate is for other names or addresses."),
    SANSOCK_ROW(tls_pin_mismatch, tls, no_close, 400,
                "None of the keys of the server's certificates is one of the pinned ones."),
    SANSOCK_ROW(tls_certificate_missing, tls, no_close, 400,
                "The client gave no certificate, and one is required."),
    SANSOCK_ROW(tls_certificate_refused, tls, no_close, 400,
                "The peer did not accept our certificate, or requires one."),
    SANSOCK_ROW(tls_refused, tls, no_close, 400,
                "The peer ended the TLS handshake or the connection with an alert."),
    SANSOCK_ROW(tls_record_invalid, tls, no_close, 400,
                "A TLS record was damaged on its way, or breaks the protocol."),
    SANSOCK_ROW(tls_flood, tls, no_close, 400,
                "The peer sent more TLS records without data, key updates or tickets than allowed."),
    SANSOCK_ROW(tls_truncated, tls, no_close, 400,
                "The transport ended without TLS's close_notify: data may be missing."),
    SANSOCK_ROW(tls_roots_missing, tls, no_close, 400,
                "There are no certificates of authorities to trust: install ca-certificates, or name a file "
                "of roots."),
    SANSOCK_ROW(tls_config_invalid, tls, no_close, 400,
                "A TLS certificate, key, list of roots or pin can not be used."),

    SANSOCK_ROW(tls_unexpected, handshake, no_close, 400,
                "This port speaks plain HTTP, not TLS: use http:// or ws://."),
    SANSOCK_ROW(head_malformed, handshake, no_close, 400, "This is not a well-formed HTTP/1.1 message."),
    SANSOCK_ROW(method_not_get, handshake, no_close, 405, "The method of the request is not GET."),
    SANSOCK_ROW(http_version_unsupported, handshake, no_close, 400, "The request is not of HTTP/1.1."),
    SANSOCK_ROW(target_invalid, handshake, no_close, 400, "The target of the request is not a path."),
    SANSOCK_ROW(host_invalid, handshake, no_close, 400,
                "The request must have exactly one Host header, which names a valid host."),
    SANSOCK_ROW(body_unexpected, handshake, no_close, 400, "The request must not have a body."),
    SANSOCK_ROW(upgrade_missing, handshake, no_close, 426, "This is a WebSocket endpoint: upgrade required."),
    SANSOCK_ROW(upgrade_invalid, handshake, no_close, 400,
                "The headers Upgrade: websocket and Connection: Upgrade must both be there."),
    SANSOCK_ROW(key_invalid, handshake, no_close, 400,
                "The request must have exactly one Sec-WebSocket-Key, the base64 of 16 bytes."),
    SANSOCK_ROW(version_missing, handshake, no_close, 400,
                "The request must have exactly one Sec-WebSocket-Version."),
    SANSOCK_ROW(version_unsupported, handshake, no_close, 426,
                "This version of the WebSocket protocol is not supported."),
    SANSOCK_ROW(subprotocol_invalid, handshake, no_close, 400,
                "Sec-WebSocket-Protocol is not a list of distinct tokens."),
    SANSOCK_ROW(extension_invalid, handshake, no_close, 400,
                "Sec-WebSocket-Extensions is not a list of extensions."),
    SANSOCK_ROW(origin_refused, handshake, no_close, 403, "Pages of this origin may not connect here."),
    SANSOCK_ROW(rejected, handshake, no_close, 400, "The application rejected the opening handshake."),
    SANSOCK_ROW(response_malformed, handshake, no_close, 400,
                "The server's answer is not a well-formed HTTP/1.1 response."),
    SANSOCK_ROW(status_unexpected, handshake, no_close, 400,
                "The server answered with another status than 101 Switching Protocols."),
    SANSOCK_ROW(accept_mismatch, handshake, no_close, 400,
                "Sec-WebSocket-Accept in the server's answer does not belong to the key that was sent."),
    SANSOCK_ROW(upgrade_header_invalid, handshake, no_close, 400,
                "Upgrade in the server's answer does not name websocket."),
    SANSOCK_ROW(connection_header_invalid, handshake, no_close, 400,
                "Connection in the server's answer does not name Upgrade."),
    SANSOCK_ROW(subprotocol_unoffered, handshake, no_close, 400,
                "The server chose a subprotocol that was not offered, or none where one is required."),
    SANSOCK_ROW(extension_unoffered, handshake, no_close, 400,
                "The server chose an extension that was not offered."),
    SANSOCK_ROW(extension_refused, handshake, no_close, 400,
                "The server's parameters of permessage-deflate can not be accepted."),

    SANSOCK_ROW(not_open, misuse, no_close, 400, "The connection is not open yet."),
    SANSOCK_ROW(already_closing, misuse, no_close, 400, "The connection is closing or closed."),
    SANSOCK_ROW(message_unfinished, misuse, no_close, 400,
                "Another message is being sent in parts and is not complete."),
    SANSOCK_ROW(message_type_changed, misuse, no_close, 400,
                "A part of a message has another type than its first part."),
    SANSOCK_ROW(control_payload_too_long, misuse, no_close, 400,
                "The payload of a control frame must not be over 125 bytes."),
    SANSOCK_ROW(close_code_not_sendable, misuse, no_close, 400, "This close code must not be sent."),
    SANSOCK_ROW(close_reason_too_long, misuse, no_close, 400, "A close reason must not be over 123 bytes."),
    SANSOCK_ROW(close_reason_not_utf8, misuse, no_close, 400, "The close reason is not valid UTF-8."),
    SANSOCK_ROW(text_not_utf8, misuse, no_close, 400, "The text to send is not valid UTF-8."),
    SANSOCK_ROW(message_over_limit, misuse, no_close, 400,
                "The message is larger than the queue of unsent output can ever be."),
    SANSOCK_ROW(compression_not_agreed, misuse, no_close, 400,
                "A compressed frame can not be sent where compression was not agreed on, or only in part."),
    SANSOCK_ROW(role_wrong, misuse, no_close, 400, "This call is for the other role."),
    SANSOCK_ROW(header_invalid, misuse, no_close, 400,
                "A header, host, target or subprotocol to send has a forbidden byte or a reserved name."),
    SANSOCK_ROW(status_invalid, misuse, no_close, 400,
                "The status of a response must be in 200..599, and allow its body."),
    SANSOCK_ROW(already_answered, misuse, no_close, 400, "The request was answered already."),
    SANSOCK_ROW(no_request, misuse, no_close, 400, "No acceptable request is waiting for an answer."),
    SANSOCK_ROW(subprotocol_not_offered, misuse, no_close, 400,
                "The client did not offer the subprotocol to accept with."),
    SANSOCK_ROW(url_invalid, misuse, no_close, 400, "This is not a valid WebSocket URL."),
    SANSOCK_ROW(url_scheme_unsupported, misuse, no_close, 400,
                "The scheme of this URL is not supported by this build."),
    SANSOCK_ROW(entropy_failed, misuse, no_close, 400, "The entropy source gives no usable masking keys."),
    SANSOCK_ROW(config_invalid, misuse, no_close, 400, "The configuration contradicts itself."),
};

#undef SANSOCK_ROW

constexpr bool rows_complete() {
  if (std::size(rows) != static_cast<std::size_t>(errc::count_)) return false;
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    if (static_cast<std::size_t>(rows[i].code) != i || rows[i].text.empty()) return false;
  }
  return true;
}
static_assert(rows_complete(), "one row for each errc, in the order of their declaration");

constexpr Row unknown = {errc::count_, "unknown", no_condition, no_close, 400, "Unknown error."};

const Row& row(errc e) noexcept {
  const auto index = static_cast<std::size_t>(e);
  return index < std::size(rows) ? rows[index] : unknown;
}

// Values of an std::error_code need not be those of an errc.
const Row& row_of_value(int value) noexcept {
  const bool known = value >= 0 && value < static_cast<int>(errc::count_);
  return known ? row(static_cast<errc>(value)) : unknown;
}

std::string_view condition_text(int value) noexcept {
  switch (static_cast<condition>(value)) {
    case violation: return "The peer broke the protocol.";
    case handshake: return "The opening handshake failed.";
    case limit: return "A limit was exceeded.";
    case timeout: return "A deadline has passed.";
    case transport: return "The transport failed or ended.";
    case misuse: return "The call was not possible here.";
    case tls: return "TLS could not be set up, or failed.";
  }
  return value == 0 ? "No error." : "Unknown condition.";
}

class EngineCategory final : public std::error_category {
 public:
  constexpr EngineCategory() noexcept = default;
  const char* name() const noexcept override { return "sansock"; }
  std::string message(int value) const override {
    const std::string_view text = row_of_value(value).text;
    return detail::error_message(text.data(), text.size());
  }
  std::error_condition default_error_condition(int value) const noexcept override {
    const condition group = row_of_value(value).group;
    if (group == no_condition) return {value, *this};
    return make_error_condition(group);
  }
  // Never called; the virtual destructor would refer to the one of the heap.
  static void operator delete(void*) noexcept {}
};

class ConditionCategory final : public std::error_category {
 public:
  constexpr ConditionCategory() noexcept = default;
  const char* name() const noexcept override { return "sansock.condition"; }
  std::string message(int value) const override {
    const std::string_view text = condition_text(value);
    return detail::error_message(text.data(), text.size());
  }
  static void operator delete(void*) noexcept {}
};

// Constant-initialised and never destroyed, so that errors can be used before main() and after it.
// g++ takes a constexpr destructor for that, clang an attribute, and each refuses the other's.
#ifdef __clang__
#define SANSOCK_CONSTANT [[clang::no_destroy, gnu::section(".data.rel.ro")]] constinit const
#define SANSOCK_CONSTEXPR
#else
#define SANSOCK_CONSTANT constexpr
#define SANSOCK_CONSTEXPR constexpr
#endif

template <class Category>
union Undestroyed {
  char none;
  Category category;
  constexpr Undestroyed() noexcept : category() {}
  SANSOCK_CONSTEXPR ~Undestroyed() {}
};

SANSOCK_CONSTANT Undestroyed<EngineCategory> engine_category_constant;
SANSOCK_CONSTANT Undestroyed<ConditionCategory> condition_category_constant;

#undef SANSOCK_CONSTANT
#undef SANSOCK_CONSTEXPR

}  // namespace

const std::error_category& engine_category() noexcept { return engine_category_constant.category; }
const std::error_category& condition_category() noexcept { return condition_category_constant.category; }

std::string_view name(errc e) noexcept { return row(e).name; }
std::string_view describe(errc e) noexcept { return row(e).text; }
CloseCode close_code_for(errc e) noexcept { return row(e).close; }
std::uint16_t http_status_for(errc e) noexcept { return row(e).http_status; }
condition condition_for(errc e) noexcept { return row(e).group; }

}  // namespace sansock
