#include "ledger.h"

#include <algorithm>
#include <cstring>

namespace sansock::sim {

namespace {

bool equal(ConstBytes a, ConstBytes b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace

void Ledger::add(const Piece& piece, bool whole) {
  messages_.push_back({piece, whole});
  add_frame(piece.size);
  if (whole) ++accepted_;
}

void Ledger::extend(std::size_t size, bool whole) {
  messages_.back().piece.size += size;
  messages_.back().whole = whole;
  add_frame(size);
  if (whole) ++accepted_;
}

void Ledger::add_frame(std::size_t size) {
  Extent& extent = messages_.back().extent;
  extent.size += size;
  extent.frame = std::max(extent.frame, size);
  extent.frames += 1;
  if (size == 0) extent.frames_empty += 1;
  extent_max_.size = std::max(extent_max_.size, extent.size);
  extent_max_.frame = std::max(extent_max_.frame, extent.frame);
  extent_max_.frames = std::max(extent_max_.frames, extent.frames);
  extent_max_.frames_empty = std::max(extent_max_.frames_empty, extent.frames_empty);
}

void Ledger::make_control(Bytes out, char marker, std::uint32_t serial) noexcept {
  out[0] = static_cast<std::byte>(marker);
  std::memcpy(&out[1], &serial, sizeof serial);
  for (std::size_t i = control_size_min; i < out.size(); ++i) out[i] = static_cast<std::byte>(serial * 7 + i);
}

std::string Ledger::deliver(const Event& event) {
  if (delivered_ == messages_.size()) return "a run of a message that was not sent";
  const Message& message = messages_[delivered_];
  const std::string which = "message " + std::to_string(delivered_);
  if (event.begin == begun_) return which + (begun_ ? " begins anew" : " goes on without a beginning");
  begun_ = !event.end;
  if (event.type != message.piece.type) return which + " has another type than was sent";
  const std::size_t end = position_ + event.bytes.size();
  if (end > message.piece.size) {
    return which + " has " + std::to_string(end) + " bytes or more, " + std::to_string(message.piece.size) +
           " were sent";
  }
  if (!equal(event.bytes, payload_bytes(message.piece, position_, event.bytes.size()))) {
    return which + " has another content than was sent, in the bytes " + std::to_string(position_) + " to " +
           std::to_string(end);
  }
  position_ = end;
  if (!event.end) return {};
  if (!message.whole) return which + " has ended, but not all of it was sent";
  if (end != message.piece.size) {
    return which + " has ended after " + std::to_string(end) + " of " + std::to_string(message.piece.size) +
           " bytes";
  }
  ++delivered_;
  position_ = 0;
  return {};
}

std::string Ledger::check_control(ConstBytes payload, char marker, std::uint32_t& newest,
                                  std::uint32_t sent) {
  if (payload.size() < control_size_min) return "a control payload that was not sent";
  std::uint32_t serial = 0;
  std::memcpy(&serial, &payload[1], sizeof serial);
  if (serial <= newest || serial > sent) {
    return "control frame " + std::to_string(serial) + " after " + std::to_string(newest) + " of " +
           std::to_string(sent);
  }
  std::byte expected[control_payload_max];
  make_control(Bytes(expected).first(payload.size()), marker, serial);
  if (!equal(payload, Bytes(expected).first(payload.size()))) return "a control payload was changed";
  newest = serial;
  return {};
}

std::string Ledger::deliver_ping(ConstBytes payload) {
  if (payload.size() != 4) return check_control(payload, 'p', ping_seen_, pings_sent_);
  std::uint32_t number = 0;
  std::memcpy(&number, payload.data(), sizeof number);
  if (number <= keep_alive_seen_) return "a keep-alive Ping that came before";
  keep_alive_seen_ = number;
  return {};
}

std::string Ledger::deliver_pong(ConstBytes payload, const Ledger& pinged) {
  if (payload.size() == 4) {
    std::uint32_t number = 0;
    std::memcpy(&number, payload.data(), sizeof number);
    if (number <= keep_alive_answered_ || number > pinged.keep_alive_seen_) {
      return "an answer to a keep-alive Ping that was not sent or answered before";
    }
    keep_alive_answered_ = number;
    return {};
  }
  if (!payload.empty() && payload[0] == std::byte{'u'}) {
    return check_control(payload, 'u', pong_seen_, pongs_sent_);
  }
  return check_control(payload, 'p', answer_seen_, pinged.ping_seen_);
}

}  // namespace sansock::sim
