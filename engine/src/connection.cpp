// Connection: its life, its inputs and what can be asked of it. Polling, reading, writing, closing and time
// have files of their own (connection_poll.cpp and so on).
#include "sansock/connection.h"

#include <algorithm>

#include "assert.h"

namespace sansock {

using detail::CloseInput;
using detail::Phase;

Connection::Connection(Role role, const Config& config) noexcept : Connection(role, config, Phase::open) {}

Connection::Connection(Role role, const Config& config, Phase phase) noexcept
    : config_(&config), phase_(phase), client_(role == Role::client) {
  SANSOCK_ASSERT(config.pool != nullptr);
  SANSOCK_ASSERT(role == Role::server || config.entropy != nullptr);
}

Connection::Connection(Role role, const Config& config, CodecStream& stream,
                       const DeflateParameters& agreed) noexcept
    : Connection(role, config, Phase::open) {
  compress_with(stream, agreed);
}

void Connection::compress_with(CodecStream& stream, const DeflateParameters& agreed) noexcept {
  SANSOCK_ASSERT(config_->codec != nullptr && stream_ == nullptr);
  stream_ = &stream;
  agreed_ = agreed;
  deflate_ = 1;
}

Connection::~Connection() {
  SANSOCK_ASSERT(!lent_);  // or the transport would go on reading memory that is somebody else's
  out_.clear(*config_->pool);
  release_control_block();
  close_stream();
}

void Connection::feed_eof(Instant now) noexcept {
  SANSOCK_ASSERT(settled_ && input_ == input_end_);
  settled_ = 0;
  arm(now);
  if (phase_ == Phase::open || phase_ == Phase::close_sent) {
    const bool inside = wait_ != Wait::header || header_size_ != 0 || in_message_;
    cause_ = inside ? errc::eof_in_frame : errc::eof;
  } else if (phase_ == Phase::handshake && cause_ == errc::none) {
    cause_ = errc::eof_in_handshake;
  }
  advance(CloseInput::eof);
}

void Connection::handle_timeout(Instant now) noexcept {
  SANSOCK_ASSERT(settled_ && (input_ == input_end_));
  settled_ = 0;
  arm(now);
  expire(now);
  arm(now);  // what expired may have started the close deadline
}

void Connection::consume(std::size_t written, Instant now) noexcept {
  SANSOCK_ASSERT(settled_);
  settled_ = 0;
  arm(now);
  if (phase_ == Phase::open && pong_end_ == 0 && !ping_queued_) {  // then nothing waits for what has left
    lent_ = 0;
    out_.consume(*config_->pool, written);
    return;
  }
  if (phase_ == Phase::closed) {
    // A late completion. What it was about is discarded already, unless it was kept for its sake.
    if (!lent_) return;
    lent_ = 0;
    out_.consume(*config_->pool, written);
    out_.abandon(*config_->pool);
    return;
  }
  lent_ = 0;
  out_.consume(*config_->pool, written);
  // When the newest pong has left, all have; the queue itself may never run dry.
  if (pong_end_ != 0) {
    pong_end_ -= static_cast<std::uint32_t>(std::min<std::size_t>(pong_end_, written));
    if (pong_end_ == 0 || out_.empty()) {
      pong_end_ = 0;
      pong_tail_ = 0;
      pong_bytes_ = 0;
    }
  }
  if (!out_.empty()) return;
  if (ping_queued_) {
    // The Ping has left: only now may its answer be waited for. Behind a long queue the peer could
    // not have seen it yet.
    ping_queued_ = 0;
    ping_at_ = now;
  }
  advance(CloseInput::flushed);
}

void Connection::abort(errc cause) noexcept {
  if (phase_ == Phase::closed) return;
  // RFC 8446 section 6.1: without close_notify nobody knows whether this was the peer's end.
  if (cause == errc::tls_truncated) clean_ = 0;
  if (!clean_ && cause_ == errc::none) cause_ = cause;
  advance(CloseInput::give_up);
}

void Connection::pause_input(bool paused) noexcept {
  if (phase_ != Phase::open && phase_ != Phase::handshake) return;
  if (paused_ && !paused) {
    // Silence was ours, not the peer's: its deadlines start again.
    input_at_ = at_once;
    if (phase_ == Phase::open) phase_at_ = at_once;
  }
  paused_ = paused;
}

CloseStatus Connection::close_status() const noexcept {
  return {.sent = close_sent_, .received = close_received_, .clean = clean_ != 0, .cause = cause_};
}

// --- for Endpoint ---------------------------------------------------------------------------------

void Connection::open(const Config& config) noexcept {
  SANSOCK_ASSERT(config.pool == config_->pool);  // queued output lies in its blocks
  config_ = &config;
  advance(CloseInput::opened);
  input_at_ = phase_at_ = at_once;
}

void Connection::open(const Config& config, CodecStream& stream, const DeflateParameters& agreed) noexcept {
  open(config);
  compress_with(stream, agreed);
}

errc Connection::queue_handshake(ConstBytes head, ConstBytes body) noexcept {
  const std::size_t size = head.size() + body.size();
  if (size > config_->limits.output_bytes_max - out_.size()) return errc::output_full;
  detail::SpareBlocks spare(*config_->pool);
  if (!out_.reserve(spare, size)) return errc::blocks_exhausted;
  out_.append(spare, head);
  out_.append(spare, body);
  return errc::none;
}

void Connection::fail_handshake(errc cause) noexcept {
  if (cause_ == errc::none) cause_ = cause;
  advance(CloseInput::fail);
}

}  // namespace sansock
