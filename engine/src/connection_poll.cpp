// Connection: what happened, one event at a time.
//
// Most of what a connection reads is whole messages of one frame, in view from the first byte of the header
// to the last of the payload. For those poll() has a way of its own, without the states of
// connection_read.cpp in between: it looks, and takes the frame if nothing about it is special. Whatever else
// is in view it leaves as it was, to the general way, which alone knows what is wrong with a frame.
#include <algorithm>

#include "assert.h"
#include "frame_header.h"
#include "sansock/connection.h"

namespace sansock {

using detail::Phase;

namespace {

// A frame in view. `header_size` is 0 if it is not one that poll() takes by itself.
struct FrameView {
  std::size_t header_size = 0;
  std::size_t payload_size = 0;
};

inline bool within(const Limits& limits, std::uint64_t payload_size) noexcept {
  return payload_size <= limits.frame_payload_max && payload_size <= limits.message_payload_max &&
         limits.message_fragments_max != 0;
}

// Looks for a whole text or binary message in one frame, that is not empty, breaks no rule and is within the
// limits.
inline FrameView view_message(const std::byte* input, std::size_t have, bool masked,
                              const Limits& limits) noexcept {
  constexpr unsigned first_text = fin_bit | opcode_text;
  static_assert((fin_bit | opcode_binary) == first_text + 1);
  if (have < 2 || byte_at(input, 0) - first_text > 1) return {};
  // With another mask bit than it has to have this is over 127.
  const unsigned form = byte_at(input, 1) ^ (masked ? mask_bit : 0u);
  const std::size_t key_size = masked ? 4 : 0;
  FrameView view;
  if (form < 126) {
    view = {2 + key_size, form};
    if (form == 0) return {};
  } else if (form == 126 && have >= 4) {
    view = {4 + key_size, load_be16(input + 2)};
    if (view.payload_size < 126) return {};
  } else if (form == 127 && have >= 10) {
    view = {10 + key_size, load_be64(input + 2)};
    if (view.payload_size <= 0xFFFF || view.payload_size > have) return {};
  } else {
    return {};
  }
  const bool whole = view.header_size + view.payload_size <= have;
  return whole && within(limits, view.payload_size) ? view : FrameView{};
}

// Unmasks and validates a whole text. False: it is not valid, and as it was.
inline bool take_whole_text(Bytes text, bool masked, const Kernels& kernels) noexcept {
  Utf8State state;
  if (!masked) return kernels.utf8_validate(state, text) == utf8_all_valid && state.complete();
  const MaskKey key = MaskKey::from_wire(text.data() - 4);
  MaskKey key_after = key;
  const std::size_t bad = kernels.unmask_validate(text, key_after, state);
  if (bad == utf8_all_valid && state.complete()) return true;
  kernels.mask(text.first(std::min(bad, text.size())), key);
  return false;
}

}  // namespace

inline Event Connection::message_event(MessageType type, Bytes payload) noexcept {
  input_ = payload.data() + payload.size();
  seen_data_ = 1;
  return {.kind = EventKind::data, .type = type, .begin = true, .end = true, .bytes = payload};
}

// The next message, of which something is there. Here are only a server's of up to 125 bytes. They are
// unmasked before it is known whether they are good text, since most are.
Event Connection::poll_input() noexcept {
  constexpr std::size_t header_size = 6;
  const auto have = static_cast<std::size_t>(input_end_ - input_);
  if (client_ || have <= header_size) return poll_long();
  // Subtracted is what a masked text of one byte begins with; any other byte comes out too large.
  const unsigned kind = byte_at(input_, 0) - (fin_bit | opcode_text);
  const std::size_t size = byte_at(input_, 1) - (mask_bit | 1u) + std::size_t{1};
  if (kind > 1 || size - 1 >= control_payload_max || size > have - header_size ||
      !within(config_->limits, size)) {
    return poll_long();
  }
  const auto type = static_cast<MessageType>(opcode_text + kind);
  const Bytes payload{input_ + header_size, size};
  const MaskKey key = MaskKey::from_wire(payload.data() - 4);
  std::uint64_t seen = 0;
  detail::mask_copy_words(payload.data(), payload.data(), size, key, seen);
  if (type == MessageType::text && (seen & detail::ascii_high_bits) != 0 && config_->check_received_text) {
    return poll_other_text(payload, key);
  }
  return message_event(type, payload);
}

// Any whole message in view.
Event Connection::poll_long() noexcept {
  const auto have = static_cast<std::size_t>(input_end_ - input_);
  const FrameView view = view_message(input_, have, !client_, config_->limits);
  if (view.header_size == 0) return poll_any();
  const auto type = static_cast<MessageType>(byte_at(input_, 0) & opcode_bits);
  const Bytes payload{input_ + view.header_size, view.payload_size};
  SANSOCK_ASSERT(payload.size() <= have - view.header_size);
  const Kernels& kernels = *config_->kernels;
  if (type == MessageType::text && config_->check_received_text) {
    if (!take_whole_text(payload, !client_, kernels)) return poll_any();
  } else if (!client_) {
    kernels.mask(payload, MaskKey::from_wire(payload.data() - 4));
  }
  return message_event(type, payload);
}

// A short text that is unmasked already, and more than ASCII.
Event Connection::poll_other_text(Bytes text, MaskKey key) noexcept {
  const Kernels& kernels = *config_->kernels;
  Utf8State state;
  if (kernels.utf8_validate(state, text) == utf8_all_valid && state.complete()) {
    return message_event(MessageType::text, text);
  }
  kernels.mask(text, key);
  return poll_any();
}

Event Connection::poll_any() noexcept {
  if (wait_ != Wait::control_payload) release_control_block();
  if (deflate_) {
    release_inflated();
    if (discarding()) close_stream();  // nothing of it is needed any more
  }
  for (;;) {
    Event sent;
    bool complete = false;
    if (out_.take_sent(*config_->pool, sent.token, complete)) {
      sent.kind = EventKind::sent;
      sent.error = complete ? errc::none : errc::aborted;
      return sent;
    }
    if (!readable()) break;
    if (const Event event = read_step()) return event;
  }
  if (phase_ == Phase::closed && !closed_given_ && !lent_) return closed_event();
  settled_ = 1;
  return {};
}

}  // namespace sansock
