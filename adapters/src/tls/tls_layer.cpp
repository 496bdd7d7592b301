// TlsLayer: what does not depend on the driver. See tls_layer.h.
#include "sansock/tls_layer.h"

#include <algorithm>
#include <cstring>

namespace sansock {
namespace {

// How long a peer has to take an alert, or close_notify, and to leave.
constexpr Duration linger_max = std::chrono::seconds(2);
constexpr std::size_t discarded_max = 1u << 20;
constexpr Duration starved_wait = std::chrono::milliseconds(10);

}  // namespace

TlsLayer::TlsLayer(std::unique_ptr<TlsEngine> engine) noexcept : engine_(std::move(engine)) {
  engine_->start();
}

errc TlsLayer::end_cause() noexcept {
  if (engine_->failure() != errc::none) {
    failed_ = true;
    return engine_->failure();
  }
  if (engine_->peer_closed()) return errc::none;
  return engine_->established() ? errc::tls_truncated : errc::eof_in_handshake;
}

Interest TlsLayer::shape(Interest interest, Instant now) noexcept {
  if (!engine_->established()) {
    interest.read = !end_told_;
    interest.write = engine_->output_size() != 0;
    interest.shutdown_write = false;
    return interest;
  }
  interest.read = interest.read && !end_told_ && stash_.empty();
  // Close frame, close_notify, FIN, in this order.
  if (interest.shutdown_write && !std::exchange(notified_, true)) engine_->close();
  // After a failure that the driver, which is paused, has not been told of, nothing can be encrypted.
  interest.write = engine_->output_size() != 0 || (interest.write && !starved_ && may_seal());
  interest.shutdown_write = interest.shutdown_write && !interest.write;
  if (starved_) interest.deadline = std::min(interest.deadline, now + starved_wait);
  return interest;
}

// The driver has ended, and its handler knows it.
Interest TlsLayer::finish(const CloseStatus& status, Instant now) noexcept {
  constexpr Interest over{.close = true};
  if (!lingering_) {
    lingering_ = true;
    linger_until_ = now + linger_max;
    graceful_ = !failed_ && engine_->established() && (status.clean || engine_->peer_closed());
    if (graceful_ && !std::exchange(notified_, true)) engine_->close();
  }
  if ((!graceful_ && !failed_) || now >= linger_until_ || discarded_ > discarded_max) return over;
  const bool flushed = engine_->output_size() == 0;
  if (flushed && (graceful_ || eof_)) return over;
  return {.read = !eof_, .write = !flushed, .shutdown_write = flushed, .deadline = linger_until_};
}

void TlsLayer::wipe(Bytes plain) noexcept {
  std::memset(plain.data(), 0, plain.size());
  // Nobody reads these zeros, which is no reason to leave them out.
  __asm__ volatile("" : : "r"(plain.data()) : "memory");
}

}  // namespace sansock
