// Connection: frames out (RFC 6455 sections 5 and 6.1). Everything is queued as whole frames, so a
// control frame may go between any two of them.
#include <algorithm>

#include "assert.h"
#include "frame_header.h"
#include "sansock/connection.h"

namespace sansock {

using detail::CloseInput;
using detail::Phase;

namespace {

std::error_code code_of(errc error) noexcept {
  return error == errc::none ? std::error_code{} : make_error_code(error);
}

// Out of line and last, so that the short ones need no stack.
[[gnu::noinline]] errc copy_any(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  std::memcpy(to, from, size);
  return errc::none;
}

// memcpy, and for short messages without the call.
inline errc copy_payload(std::byte* to, ConstBytes payload) noexcept {
  const std::size_t size = payload.size();
  if (size < 16 || size > 128) return copy_any(to, payload.data(), size);
  if (size > 64) {
    detail::copy_both_ends<4>(to, payload.data(), size);
  } else if (size > 32) {
    detail::copy_both_ends<2>(to, payload.data(), size);
  } else {
    detail::copy_both_ends<1>(to, payload.data(), size);
  }
  return errc::none;
}

}  // namespace

std::error_code Connection::send(MessageType type, ConstBytes payload) noexcept {
  return code_of(send_message(type, payload));
}

std::error_code Connection::send(MessageType type, ConstBytes payload, Compression compression) noexcept {
  return code_of(send_any(type, payload, compression));
}

// A server's message of up to 64 KiB that finds room behind what is queued, or in a block that is at hand,
// goes there at once. Every other message, and every reason to refuse one, is the next function's.
errc Connection::send_message(MessageType type, ConstBytes payload) noexcept {
  const std::size_t size = payload.size();
  const bool open_server = phase_ == Phase::open && !client_ && !sending_ && !deflate_;
  if (!open_server || size - 1 >= 0xFFFF || checks_text(type)) {
    return send_any(type, payload, Compression::automatic);
  }
  const std::size_t header = size < 126 ? 2 : 4;
  if (out_.size() + header + size > config_->limits.output_bytes_max) {
    return send_any(type, payload, Compression::automatic);
  }
  std::byte* const out = out_.append_at_hand(*config_->pool, header + size);
  if (out == nullptr) [[unlikely]]
    return send_in_block(type, payload);
  pong_tail_ = 0;
  write_header(out, fin_bit | static_cast<unsigned>(type), size, false, {});
  return copy_payload(out + header, payload);
}

// The same where the block has to be asked for, or the newest has no room.
[[gnu::noinline]] errc Connection::send_in_block(MessageType type, ConstBytes payload) noexcept {
  const unsigned first_byte = fin_bit | static_cast<unsigned>(type);
  const std::size_t header = payload.size() < 126 ? 2 : 4;
  std::byte* const out = out_.append_whole(*config_->pool, header + payload.size());
  if (out == nullptr) return queue_in_pieces(first_byte, payload, {});
  pong_tail_ = 0;
  write_header(out, first_byte, payload.size(), false, {});
  return copy_payload(out + header, payload);
}

[[gnu::noinline]] errc Connection::send_any(MessageType type, ConstBytes payload,
                                            Compression compression) noexcept {
  if (sending_) return errc::message_unfinished;
  if (const errc error = check_sendable(payload.size()); error != errc::none) return error;
  if (checks_text(type)) {
    if (const errc error = check_text(payload, true, true); error != errc::none) return error;
  }
  if (deflate_) [[unlikely]]
    return send_deflated(type, payload, compression);
  return queue_frame(fin_bit | static_cast<unsigned>(type), payload);
}

std::error_code Connection::send_part(MessageType type, ConstBytes payload, bool end,
                                      Compression compression) noexcept {
  if (const errc error = check_sendable(payload.size()); error != errc::none) return error;
  if (sending_ && type != send_type_) return errc::message_type_changed;
  const Utf8State text_before = send_utf8_;
  if (checks_text(type)) {
    if (const errc error = check_text(payload, !sending_, end); error != errc::none) {
      send_utf8_ = text_before;
      return error;
    }
  }
  // RFC 6455 section 5.4: the first fragment has the opcode, the others 0; FIN is on the last.
  const unsigned opcode = sending_ ? opcode_continuation : static_cast<unsigned>(type);
  const unsigned first_byte = (end ? fin_bit : 0u) | opcode;
  const bool deflated = sending_ ? send_deflated_ : deflate_ && wants_deflate(payload.size(), compression);
  const errc error = deflated ? send_part_deflated(first_byte | (sending_ ? 0u : rsv1_bit), payload, end)
                              : queue_frame(first_byte, payload);
  if (error != errc::none) {
    send_utf8_ = text_before;
    return error;
  }
  send_deflated_ = deflated;
  sending_ = !end;
  send_type_ = type;
  return {};
}

std::error_code Connection::send_borrowed(MessageType type, Bytes payload, std::uint64_t token) noexcept {
  if (sending_) return errc::message_unfinished;
  if (const errc error = check_sendable(payload.size()); error != errc::none) return error;
  if (checks_text(type)) {
    if (const errc error = check_text(payload, true, true); error != errc::none) return error;
  }
  MaskKey key;
  if (client_ && !draw_key(key)) return errc::entropy_failed;
  detail::SpareBlocks spare(*config_->pool);
  const std::size_t header = header_size_for(payload.size(), client_);
  if (!out_.reserve(spare, header, 1)) return errc::blocks_exhausted;
  write_header(out_.append_contiguous(spare, header), fin_bit | static_cast<unsigned>(type), payload.size(),
               client_, key);
  if (client_) config_->kernels->mask(payload, key);
  out_.append_borrowed(spare, payload, token);
  pong_tail_ = 0;
  return {};
}

std::error_code Connection::send_shared(SharedFrame& frame) noexcept {
  if (client_) return errc::role_wrong;  // its frames have to be masked, each with a key of its own
  if (sending_) return errc::message_unfinished;
  if (const errc error = check_room(frame.bytes.size()); error != errc::none) return error;
  detail::SpareBlocks spare(*config_->pool);
  if (!out_.reserve(spare, 0, 1)) return errc::blocks_exhausted;
  const std::uint8_t bits = frame.deflate_window_bits;
  if (bits != 0 && !(deflate_ && config_->codec->deflated_elsewhere(*stream_, bits))) {
    return errc::compression_not_agreed;
  }
  out_.append_shared(spare, frame);
  pong_tail_ = 0;
  return {};
}

std::error_code Connection::ping(ConstBytes payload) noexcept {
  if (payload.size() > control_payload_max) return errc::control_payload_too_long;
  if (const errc error = check_sendable(payload.size()); error != errc::none) return error;
  return code_of(queue_control(opcode_ping, payload));
}

std::error_code Connection::pong(ConstBytes payload) noexcept {
  if (payload.size() > control_payload_max) return errc::control_payload_too_long;
  if (const errc error = check_sendable(payload.size()); error != errc::none) return error;
  return code_of(queue_control(opcode_pong, payload));
}

std::error_code Connection::close(CloseCode code, std::string_view reason) noexcept {
  if (phase_ == Phase::handshake) return errc::not_open;
  if (phase_ != Phase::open) return errc::already_closing;
  const bool empty = code == CloseCode::no_status;
  if (!empty && !is_wire_close_code(static_cast<std::uint16_t>(code))) return errc::close_code_not_sendable;
  if (reason.size() > (empty ? 0 : close_reason_max)) return errc::close_reason_too_long;
  if (!utf8_is_valid(as_bytes(reason))) return errc::close_reason_not_utf8;
  queue_close(code, reason);
  advance(CloseInput::local_close);
  return {};
}

errc Connection::check_sendable(std::size_t payload_size) const noexcept {
  const std::size_t header = header_size_for(payload_size, client_);
  const bool wraps = payload_size + header < payload_size;
  return check_room(wraps ? payload_size : payload_size + header);
}

// Whether a frame of `size` bytes, header included, may be queued.
errc Connection::check_room(std::size_t size) const noexcept {
  if (phase_ == Phase::handshake) return errc::not_open;
  if (phase_ != Phase::open) return errc::already_closing;
  const std::size_t limit = config_->limits.output_bytes_max;
  if (size > limit) return errc::message_over_limit;
  if (out_.size() > limit || size > limit - out_.size()) return errc::output_full;
  return errc::none;
}

// `send_utf8_` carries the state from part to part of one message.
errc Connection::check_text(ConstBytes payload, bool begin, bool end) noexcept {
  if (begin) send_utf8_ = {};
  if (config_->kernels->utf8_validate(send_utf8_, payload) != utf8_all_valid) return errc::text_not_utf8;
  return end && !send_utf8_.complete() ? errc::text_not_utf8 : errc::none;
}

errc Connection::queue_frame(unsigned first_byte, ConstBytes payload) noexcept {
  MaskKey key;
  if (client_ && !draw_key(key)) return errc::entropy_failed;
  const std::size_t size = payload.size();
  const bool masked = client_;
  const std::size_t header = header_size_for(size, masked);
  std::byte* const out = out_.append_whole(*config_->pool, header + size);
  if (out == nullptr) return queue_in_pieces(first_byte, payload, key);
  write_header(out, first_byte, size, masked, key);
  if (masked) {
    config_->kernels->mask_copy(out + header, payload, key);
  } else if (size != 0) {
    std::memcpy(out + header, payload.data(), size);
  }
  pong_tail_ = 0;
  return errc::none;
}

// A frame for which append_whole() found no place: it goes over the end of a block, or begins a new one.
errc Connection::queue_in_pieces(unsigned first_byte, ConstBytes payload, MaskKey key) noexcept {
  const std::size_t header = header_size_for(payload.size(), client_);
  // Then the pool had no block; it is not asked twice.
  if (out_.fits_first(*config_->pool, header + payload.size())) return errc::blocks_exhausted;
  detail::SpareBlocks spare(*config_->pool);
  if (!out_.reserve(spare, header + payload.size())) return errc::blocks_exhausted;
  write_header(out_.append_contiguous(spare, header), first_byte, payload.size(), client_, key);
  if (client_) {
    out_.append_masked(spare, payload, key, *config_->kernels);
  } else {
    out_.append(spare, payload);
  }
  pong_tail_ = 0;
  return errc::none;
}

// Control frames are contiguous, so that a Pong can be taken back.
errc Connection::queue_control(unsigned opcode, ConstBytes payload) noexcept {
  SANSOCK_ASSERT(payload.size() <= control_payload_max);
  MaskKey key;
  if (client_ && !draw_key(key)) return errc::entropy_failed;
  detail::SpareBlocks spare(*config_->pool);
  const std::size_t header = header_size_for(payload.size(), client_);
  if (!out_.reserve(spare, header + payload.size())) return errc::blocks_exhausted;
  std::byte* const out = out_.append_contiguous(spare, header + payload.size());
  write_header(out, fin_bit | opcode, payload.size(), client_, key);
  config_->kernels->mask_copy(out + header, payload, client_ ? key : MaskKey{});
  pong_tail_ = 0;
  return errc::none;
}

// RFC 6455 section 5.5.3: if pings come faster than pongs leave, the endpoint "MAY elect to send a
// Pong frame for only the most recently processed Ping frame". While the transport takes what it is
// offered, each Ping has its Pong; when it does not, or too many are queued, the newest wins.
void Connection::queue_pong(ConstBytes payload) noexcept {
  if (phase_ != Phase::open) return;
  const std::size_t size = header_size_for(payload.size(), client_) + payload.size();
  const std::uint32_t limit = config_->limits.pong_bytes_max;
  if (out_.stalled() || pong_bytes_ + size > limit) {
    if (pong_tail_ != 0 && out_.can_take_back(pong_tail_)) {
      out_.take_back(*config_->pool, pong_tail_);
      pong_bytes_ -= pong_tail_;
      pong_tail_ = 0;
    }
    if (pong_bytes_ + size > limit) return;
  }
  if (queue_control(opcode_pong, payload) != errc::none) return;  // best effort
  pong_tail_ = static_cast<std::uint8_t>(size);
  pong_bytes_ += static_cast<std::uint32_t>(size);
  pong_end_ = out_.size();
}

// Never fails: without a block the frame goes out from inline memory, without its reason.
void Connection::queue_close(CloseCode code, std::string_view reason) noexcept {
  close_sent_ = code;
  std::byte payload[control_payload_max];
  std::size_t size = 0;
  if (code != CloseCode::no_status) {
    payload[0] = static_cast<std::byte>(static_cast<std::uint16_t>(code) >> 8);
    payload[1] = static_cast<std::byte>(static_cast<std::uint16_t>(code));
    std::copy_n(as_bytes(reason).data(), reason.size(), payload + 2);
    size = 2 + reason.size();
  }
  if (queue_control(opcode_close, {payload, size}) == errc::none) return;
  std::byte frame[8];
  const std::size_t code_size = std::min<std::size_t>(size, 2);
  const std::size_t header = header_size_for(code_size, client_);
  // With a broken entropy source the key may be zero here: a status code is no secret, and no text
  // of an attacker's.
  MaskKey key;
  if (client_ && !draw_key(key)) key = {};
  write_header(frame, fin_bit | opcode_close, code_size, client_, key);
  config_->kernels->mask_copy(frame + header, {payload, code_size}, client_ ? key : MaskKey{});
  out_.append_inline({frame, header + code_size});
}

// RFC 6455 section 5.3: "a fresh masking key", from "a strong source of entropy". A zero key would
// put the application's bytes on the wire as they are (section 10.3), so it is drawn again.
bool Connection::draw_key(MaskKey& key) noexcept {
  for (int attempt = 0; attempt < 4; ++attempt) {
    config_->entropy->fill(std::as_writable_bytes(std::span(&key.word, 1)));
    if (key.word != 0) return true;
  }
  return false;
}

}  // namespace sansock
