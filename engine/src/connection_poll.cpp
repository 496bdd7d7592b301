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
  if (view.header_size + view.payload_size > have || view.payload_size > limits.frame_payload_max ||
      view.payload_size > limits.message_payload_max || limits.message_fragments_max == 0) {
    return {};
  }
  return view;
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

// Whether the next byte, if there is one, begins a frame of an open connection outside of any message, and no
// other event is due.
inline bool Connection::between_messages() const noexcept {
  return phase_ == Phase::open && wait_ == Wait::header && header_size_ == 0 && !in_message_ && !paused_ &&
         block_ == nullptr && !out_.has_sent();
}

inline Event Connection::message_event(MessageType type, Bytes payload) noexcept {
  input_ = payload.data() + payload.size();
  seen_data_ = 1;
  return {.kind = EventKind::data, .type = type, .begin = true, .end = true, .bytes = payload};
}

Event Connection::poll() noexcept {
  if (!between_messages()) return poll_any();
  if (input_ == input_end_) {
    settled_ = 1;
    return {};
  }
  const auto have = static_cast<std::size_t>(input_end_ - input_);
  const FrameView view = view_message(input_, have, !client_, config_->limits);
  if (view.header_size == 0) return poll_any();
  const auto type = static_cast<MessageType>(byte_at(input_, 0) & opcode_bits);
  const Bytes payload{input_ + view.header_size, view.payload_size};
  if (type == MessageType::text || payload.size() > detail::short_max) return poll_message(type, payload);
  if (!client_) config_->kernels->mask(payload, MaskKey::from_wire(payload.data() - 4));
  return message_event(type, payload);
}

// A whole message in view that is worth a call: one with much payload, or a text.
Event Connection::poll_message(MessageType type, Bytes payload) noexcept {
  SANSOCK_ASSERT(payload.data() > input_ && payload.data() + payload.size() <= input_end_);
  const Kernels& kernels = *config_->kernels;
  if (type == MessageType::text && config_->check_received_text) {
    if (!take_whole_text(payload, !client_, kernels)) return poll_any();
  } else if (!client_) {
    kernels.mask(payload, MaskKey::from_wire(payload.data() - 4));
  }
  return message_event(type, payload);
}

Event Connection::poll_any() noexcept {
  if (wait_ != Wait::control_payload) release_control_block();
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
