// Connection: frames in (RFC 6455 section 5). Theory of operation:
//
//   Wait::header ----> Wait::payload ---------> Wait::header       data frames, run by run
//        |                                          ^
//        +-----------> Wait::control_payload -------+              control frames, whole
//
// A header in view is read where it is; only a cut one is copied (14 bytes, inline). A data payload
// is handed out in the runs in which it comes. A control payload is handed out whole: where it lies,
// or collected in a borrowed block if it was cut.
//
// Header checks go by byte, so that any cut of the input fails at the same byte for the same reason.
#include <algorithm>

#include "assert.h"
#include "frame_header.h"
#include "sansock/connection.h"

namespace sansock {

using detail::CloseInput;
using detail::Phase;

namespace {

// As Utf8State::pending: the reason of a skipped Close frame was found to be bad.
constexpr std::uint8_t utf8_broken = 0xFF;

}  // namespace

// A step is possible with input, or without it when the frame under way lacks none: an empty frame,
// or the end of a text that is to be judged.
bool Connection::readable() const noexcept {
  if (paused_ || phase_ == Phase::closed || phase_ == Phase::handshake) return false;
  if (input_ != input_end_) return true;
  return wait_ != Wait::header && (frame_.payload.remaining == 0 || inflate_more_) && !discarding();
}

Event Connection::read_step() noexcept {
  if (discarding()) {
    discard();
    return {};
  }
  switch (wait_) {
    case Wait::header: return read_header();
    case Wait::payload: return compressed_ ? read_compressed() : read_payload();
    case Wait::control_payload: return read_control();
  }
  return {};
}

// RFC 6455 section 7.1.4 and 1.4: after a Close frame nothing more is processed; after a failure
// (section 7.1.7) likewise.
void Connection::discard() noexcept {
  const auto size = static_cast<std::uint64_t>(input_end_ - input_);
  input_ = input_end_;
  if (size > config_->limits.discard_bytes_max - fragments_) {
    if (!clean_ && cause_ == errc::none) cause_ = errc::discard_limit;
    advance(CloseInput::give_up);
    return;
  }
  fragments_ += static_cast<std::uint32_t>(size);
}

Event Connection::read_header() noexcept {
  const auto have = static_cast<std::size_t>(input_end_ - input_);
  if (header_size_ == 0 && have >= 2 && have >= header_size_whole(byte_at(input_, 1))) {
    const std::byte* const header = input_;
    if (const errc error = check_header(header, have); error != errc::none) {
      fail(error);
      return {};
    }
    input_ += header_size_whole(byte_at(header, 1));
    begin_frame(header);
    return {};
  }
  // Cut: collect it, checking what is there already.
  std::size_t whole = header_size_ < 2 ? 2 : header_size_whole(byte_at(frame_.header, 1));
  while (header_size_ < whole && input_ != input_end_) {
    frame_.header[header_size_++] = *input_++;
    if (header_size_ == 2) whole = header_size_whole(byte_at(frame_.header, 1));
  }
  if (const errc error = check_header(frame_.header, header_size_); error != errc::none) {
    fail(error);
    return {};
  }
  if (header_size_ < whole) return {};
  std::byte header[frame_header_max];
  std::memcpy(header, frame_.header, sizeof header);  // begin_frame overwrites the union
  header_size_ = 0;
  begin_frame(header);
  return {};
}

// Checks the first `size` bytes of a header, in the order of its bytes.
errc Connection::check_header(const std::byte* header, std::size_t size) const noexcept {
  if (size == 0) return errc::none;
  const unsigned first = byte_at(header, 0);
  if (const errc error = check_first_byte(first); error != errc::none) return error;
  if (size < 2) return errc::none;
  const unsigned second = byte_at(header, 1);
  const bool masked = (second & mask_bit) != 0;
  // RFC 6455 section 5.1: "a client MUST mask all frames", "a server MUST NOT mask any frames".
  if (masked == (client_ != 0)) return masked ? errc::mask_unexpected : errc::mask_missing;
  const unsigned form = second & length_bits;
  if (is_control(first & opcode_bits)) {
    // RFC 6455 section 5.5: "MUST have a payload length of 125 bytes or less".
    if (form > control_payload_max) return errc::control_too_long;
    // RFC 6455 section 5.5.1: the body, if there is one, starts with a 2-byte code.
    if ((first & opcode_bits) == opcode_close && form == 1) return errc::close_payload_too_short;
    return errc::none;
  }
  // RFC 6455 section 5.2: "the most significant bit MUST be 0".
  if (form == 127 && size > 2 && (byte_at(header, 2) & 0x80) != 0) return errc::length_top_bit;
  return size >= header_size_to_length(second) ? check_length(header) : errc::none;
}

errc Connection::check_first_byte(unsigned byte) const noexcept {
  // RFC 6455 section 5.2: reserved bits "MUST be 0 unless an extension is negotiated".
  if ((byte & rsv23_bits) != 0) return errc::rsv23_unexpected;
  const unsigned opcode = byte & opcode_bits;
  // RFC 7692 section 6: RSV1 stands "on the first frame of a message", and on no other.
  const bool first = opcode == opcode_text || opcode == opcode_binary;
  if ((byte & rsv1_bit) != 0 && !(deflate_ && first)) return errc::rsv1_unexpected;
  switch (opcode) {
    case opcode_continuation: return in_message_ ? errc::none : errc::continuation_unexpected;
    case opcode_text:
    case opcode_binary: return in_message_ ? errc::continuation_expected : errc::none;
    case opcode_close:
    case opcode_ping:
    case opcode_pong:
      // RFC 6455 section 5.5: control frames "MUST NOT be fragmented".
      return (byte & fin_bit) != 0 ? errc::none : errc::control_fragmented;
    default: return errc::opcode_reserved;
  }
}

// Checks the length of a data frame against the rules and the limits, before any payload is looked
// at. Sums are compared by subtraction, so that no length can wrap around.
errc Connection::check_length(const std::byte* header) const noexcept {
  const Limits& limits = config_->limits;
  const std::uint64_t length = header_length(header);
  const std::size_t form_size = header_size_to_length(byte_at(header, 1));
  // RFC 6455 section 5.2: "the minimal number of bytes MUST be used to encode the length".
  if (!config_->lengths_lenient && form_size != header_size_for(length, false))
    return errc::length_not_minimal;
  if (length > limits.frame_payload_max) return errc::frame_too_big;
  const bool first = (byte_at(header, 0) & opcode_bits) != opcode_continuation;
  const std::uint64_t so_far = first ? 0 : message_size_;
  if (length > limits.message_payload_max - so_far) return errc::message_too_big;
  if ((first ? 0 : fragments_) >= limits.message_fragments_max) return errc::fragments_too_many;
  if (length == 0 && (first ? 0 : fragments_empty_) >= limits.message_fragments_empty_max) {
    return errc::fragments_empty_too_many;
  }
  return errc::none;
}

void Connection::begin_frame(const std::byte* header) noexcept {
  const unsigned first = byte_at(header, 0);
  const unsigned second = byte_at(header, 1);
  const std::uint64_t length = header_length(header);
  const bool masked = (second & mask_bit) != 0;
  const MaskKey key = masked ? MaskKey::from_wire(header + header_size_to_length(second)) : MaskKey{};
  opcode_ = first & opcode_bits;
  fin_ = (first & fin_bit) != 0;
  frame_.payload = {length, key};
  if (is_control(opcode_)) {
    control_size_ = 0;
    wait_ = Wait::control_payload;
    return;
  }
  wait_ = Wait::payload;
  if (opcode_ != opcode_continuation) {
    type_ = static_cast<MessageType>(opcode_);
    in_message_ = 1;
    begun_ = 0;
    compressed_ = (first & rsv1_bit) != 0;
    if (compressed_) stream_->inflated_size_ = 0;
    seen_data_ = 1;
    message_size_ = 0;
    fragments_ = 0;
    fragments_empty_ = 0;
    utf8_ = {};
    // Of a message under way; a message after our Close does not prolong the close deadline.
    if (phase_ == Phase::open) phase_at_ = input_at_;
  }
  message_size_ += length;
  ++fragments_;
  if (length == 0) ++fragments_empty_;
}

Event Connection::read_payload() noexcept {
  const auto have = static_cast<std::uint64_t>(input_end_ - input_);
  Bytes run{input_, static_cast<std::size_t>(std::min(frame_.payload.remaining, have))};
  const bool text = type_ == MessageType::text && config_->check_received_text;
  if (text && !run.empty()) {
    const std::size_t valid = take_text(run);
    if (valid == 0) {
      fail(errc::utf8_invalid);
      return {};
    }
    run = run.first(valid);
  } else if (!client_) {
    frame_.payload.key = config_->kernels->mask(run, frame_.payload.key);
  }
  input_ += run.size();
  frame_.payload.remaining -= run.size();
  if (frame_.payload.remaining != 0) return run.empty() ? Event{} : data_event(run, false);

  if (fin_ && text && !utf8_.complete()) {
    // The text ends inside a character. What came before is handed out first, as it would have been
    // if it had come alone; the next step finds nothing more and fails.
    if (!run.empty()) return data_event(run, false);
    fail(errc::utf8_invalid);
    return {};
  }
  wait_ = Wait::header;
  if (fin_) in_message_ = 0;
  // An empty fragment in the middle says nothing to the application.
  return run.empty() && !fin_ ? Event{} : data_event(run, fin_ != 0);
}

// Unmasks and validates text. Returns how much of the run is good: all, or up to the first impossible
// byte; from there on the run is as if it had not been looked at yet, and the next step fails at once. So
// any cut of the input gives the same events.
std::size_t Connection::take_text(Bytes run) noexcept {
  const Kernels& kernels = *config_->kernels;
  if (!client_) {
    const std::size_t bad = kernels.unmask_validate(run, frame_.payload.key, utf8_);
    return bad == utf8_all_valid ? run.size() : bad;
  }
  return valid_text(run);
}

Event Connection::data_event(Bytes run, bool end) noexcept {
  const bool begin = !begun_;
  begun_ = 1;
  return {.kind = EventKind::data, .type = type_, .begin = begin, .end = end, .bytes = run};
}

Event Connection::read_control() noexcept {
  const auto have = static_cast<std::size_t>(input_end_ - input_);
  if (control_size_ != 0 || have < frame_.payload.remaining) return collect_control();
  const Bytes payload{input_, static_cast<std::size_t>(frame_.payload.remaining)};
  if (!client_) config_->kernels->mask(payload, frame_.payload.key);
  input_ += payload.size();
  return finish_control(payload);
}

Event Connection::collect_control() noexcept {
  const auto have = static_cast<std::size_t>(input_end_ - input_);
  const Bytes part{input_, std::min(static_cast<std::size_t>(frame_.payload.remaining), have)};
  if (!client_) frame_.payload.key = config_->kernels->mask(part, frame_.payload.key);
  input_ += part.size();
  if (control_size_ == 0) {
    SANSOCK_ASSERT(block_ == nullptr);
    block_ = config_->pool->acquire();
  }
  if (block_ != nullptr) {
    std::memcpy(block_ + control_size_, part.data(), part.size());
  } else {
    skip_control(part);
  }
  control_size_ = static_cast<std::uint8_t>(control_size_ + part.size());
  frame_.payload.remaining -= part.size();
  if (frame_.payload.remaining != 0) return {};
  if (block_ != nullptr) return finish_control({block_, control_size_});
  if (opcode_ == opcode_close) return receive_close({});
  wait_ = Wait::header;  // a Ping or Pong that nobody can hold: best effort ends here
  return {};
}

// Without a block a cut Close can not be kept, but it can still be judged: its code is taken apart
// and its reason validated as they pass. A message under way ends here, so its size and its UTF-8
// state are free; close_received_ is not to be touched before the frame is whole.
void Connection::skip_control(Bytes part) noexcept {
  if (opcode_ != opcode_close) return;
  if (control_size_ == 0) {
    utf8_ = {};
    message_size_ = 0;
  }
  std::size_t i = 0;
  for (; i < part.size() && control_size_ + i < 2; ++i) {
    message_size_ = message_size_ << 8 | byte_at(part.data(), i);
  }
  if (utf8_.pending == utf8_broken) return;
  if (config_->kernels->utf8_validate(utf8_, part.subspan(i)) != utf8_all_valid) utf8_.pending = utf8_broken;
}

Event Connection::finish_control(Bytes payload) noexcept {
  if (opcode_ == opcode_close) return receive_close(payload);
  wait_ = Wait::header;
  if (const errc error = count_control(); error != errc::none) {
    fail(error);
    return {};
  }
  if (opcode_ == opcode_pong) return receive_pong(payload);
  if (config_->auto_pong) queue_pong(payload);
  return {.kind = EventKind::ping, .bytes = payload};
}

// RFC 6455 section 5.5.1 and 7.4. The reply repeats the code, "typically echoes the status code it
// received".
Event Connection::receive_close(Bytes payload) noexcept {
  wait_ = Wait::header;
  CloseCode code = CloseCode::no_status;
  bool reason_valid = true;
  const bool has_code = !payload.empty() || control_size_ != 0;
  if (!payload.empty()) {
    code = static_cast<CloseCode>(byte_at(payload.data(), 0) << 8 | byte_at(payload.data(), 1));
    payload = payload.subspan(2);
    reason_valid = utf8_is_valid(payload);
  } else if (control_size_ != 0) {  // it was skipped, see skip_control()
    code = static_cast<CloseCode>(message_size_);
    reason_valid = utf8_.complete();
  }
  // RFC 6455 section 7.4.1: 1005 "MUST NOT be set as a status code" in the frame; it stands here only
  // for a frame without one.
  if (has_code && !is_wire_close_code(static_cast<std::uint16_t>(code))) {
    fail(errc::close_code_invalid);
    return {};
  }
  if (!reason_valid && config_->check_received_text) {
    fail(errc::utf8_invalid_in_reason);
    return {};
  }
  close_received_ = code;
  if (phase_ == Phase::open) queue_close(code, {});
  advance(CloseInput::peer_close);
  return {.kind = EventKind::peer_close, .code = code, .bytes = payload};
}

// RFC 6455 section 5.5.3. Only the Pong of our newest keep-alive Ping gives a round-trip time.
Event Connection::receive_pong(Bytes payload) noexcept {
  std::uint32_t id = 0;
  if ((ping_at_ != never || ping_queued_) && payload.size() == sizeof id) {
    std::memcpy(&id, payload.data(), sizeof id);
    if (id == ping_id_) {
      if (ping_at_ != never) {
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(input_at_ - ping_at_).count();
        round_trip_us_ = static_cast<std::uint32_t>(std::min<std::int64_t>(us, UINT32_MAX));
      }
      ping_at_ = never;
      ping_queued_ = 0;
    }
  }
  return {.kind = EventKind::pong, .bytes = payload};
}

// What came behind the opening handshake in one read has no time yet: it counts for the second of the next
// read, or else it would depend on the reads how many are allowed.
errc Connection::count_control() noexcept {
  if (input_at_ != at_once) {
    const auto second = static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(input_at_.time_since_epoch()).count());
    if (second != control_second_ && control_second_ != second_unknown) control_count_ = 0;
    control_second_ = second;
  }
  return ++control_count_ > config_->limits.control_frames_per_second_max ? errc::control_flood : errc::none;
}

}  // namespace sansock
