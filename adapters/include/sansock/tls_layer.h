// TLS between a transport and a Driver, with the Driver's calls. Theory of operation:
//
//   handshake --established--> open --the driver has ended--> lingering --> (closed)
//
//   handshake   the driver gets nothing and nothing of it is sent; its deadline of the opening handshake runs
//   open        input is decrypted in place and given to the driver at once; of its output, as much as one
//               flight is encrypted when the transport asks for it, and counted as written when all of the
//               flight was, so that the engine's limits and its closing handshake need not know of TLS
//   lingering   what is still to be said is sent: close_notify behind the last byte, or the alert that tells
//   the
//               peer why; then FIN. After an alert input is discarded for a while, because unread input would
//               make the kernel reset the connection and take the alert away
//
// The end of the input is the peer's close_notify. A transport that ends without it may have been cut by
// somebody else: errc::tls_truncated (RFC 8446 section 6.1).
#pragma once

#include <array>
#include <memory>

#include "sansock/detail/input_stash.h"
#include "sansock/driver.h"
#include "sansock/tls_engine.h"

namespace sansock {

class TlsLayer {
 public:
  // `engine` is not null. A client's handshake begins here: there is output.
  explicit TlsLayer(std::unique_ptr<TlsEngine> engine) noexcept;

  // The calls of Driver; each is for the same driver. Input needs no stash of the caller's: what comes while
  // reading is paused is kept here, and detach_input() of the driver has nothing.
  template <Handler H>
  Interest on_bytes(Driver<H>& driver, Bytes ciphertext, Instant now) {
    if (lingering_) {
      discarded_ += ciphertext.size();
      return settle(driver, driver.resume(now), now);
    }
    engine_->feed(ciphertext);
    Bytes plain = engine_->next();
    if (plain.empty()) return settle_end(driver, now);
    Interest interest;
    for (; !plain.empty(); plain = engine_->next()) {
      interest = give(driver, plain, now);
      wipe(plain);
    }
    return settle(driver, interest, now);
  }
  template <Handler H>
  Interest on_eof(Driver<H>& driver, Instant now) {
    eof_ = true;
    return settle_end(driver, now);
  }
  // The transport failed, and what it had to tell is lost; or a deadline of the adapter's has passed.
  template <Handler H>
  Interest on_failure(Driver<H>& driver, errc cause, Instant now) {
    return driver.on_failure(cause == errc::transport_error ? cause_of_loss(driver, cause) : cause, now);
  }
  template <Handler H>
  Interest on_timeout(Driver<H>& driver, Instant now) {
    starved_ = false;
    return settle(driver, driver.on_timeout(now), now);
  }
  template <Handler H>
  Interest on_written(Driver<H>& driver, std::size_t written, Instant now) {
    engine_->consume(written);
    if (flight_ == 0 || engine_->output_size() != 0) return settle(driver, driver.resume(now), now);
    return settle(driver, driver.on_written(std::exchange(flight_, 0), now), now);
  }
  template <Handler H>
  Interest resume(Driver<H>& driver, Instant now) {
    return settle(driver, driver.resume(now), now);
  }
  // May give nothing although Interest::write was set, when there is no memory: resume() then tells when to
  // try again. Slices stay where they are until on_written().
  template <Handler H>
  std::size_t gather(Driver<H>& driver, std::span<IoSlice> slices) {
    if (engine_->output_size() == 0 && flight_ == 0 && may_seal() && driver.endpoint().output_size() != 0) {
      std::array<IoSlice, slices_max> plain;
      flight_ = engine_->seal(std::span(plain).first(driver.gather(plain)));
      starved_ = flight_ == 0;
    }
    return engine_->gather(slices);
  }
  std::size_t output_size() const noexcept { return engine_->output_size(); }

  // Whether something was received that the driver, which is paused, has not taken.
  bool input_waits() const noexcept { return !stash_.empty(); }

  TlsStatus status() const { return engine_->status(); }

 private:
  static constexpr std::size_t slices_max = 64;

  template <Handler H>
  Interest give(Driver<H>& driver, Bytes plain, Instant now) {
    const Endpoint& endpoint = driver.endpoint();
    if (endpoint.state() == ReadyState::closed) return driver.resume(now);
    if (!stash_.empty() || endpoint.input_paused()) {
      if (stash_.keep(plain)) return driver.resume(now);
    } else {
      const Interest interest = driver.on_bytes(plain, now);
      if (stash_.keep(driver.detach_input())) return interest;
    }
    return driver.on_failure(errc::memory_exhausted, now);
  }

  // Input counts before deadlines that have passed, as it does for the driver: so does its end.
  template <Handler H>
  Interest settle_end(Driver<H>& driver, Instant now) {
    if (!tells_end() || driver.endpoint().state() == ReadyState::closed)
      return settle(driver, driver.resume(now), now);
    return settle(driver, tell_end(driver, now), now);
  }
  template <Handler H>
  Interest tell_end(Driver<H>& driver, Instant now) {
    end_told_ = true;
    const errc cause = end_cause();
    return cause == errc::none ? driver.on_eof(now) : driver.on_failure(cause_of_loss(driver, cause), now);
  }
  // Where both Close frames have been exchanged, only close_notify is still to come: whatever comes instead
  // is as good as an end without it.
  template <Handler H>
  errc cause_of_loss(const Driver<H>& driver, errc cause) const noexcept {
    return driver.endpoint().close_status().clean && !engine_->peer_closed() ? errc::tls_truncated : cause;
  }

  // What follows from what has happened, and what is to be done next.
  template <Handler H>
  Interest settle(Driver<H>& driver, Interest interest, Instant now) {
    while (interest.read && !interest.close && !stash_.empty()) interest = stash_.give_to(driver, now);
    if (!interest.close && tells_end()) interest = tell_end(driver, now);
    // Nothing can be said to the peer before there are keys to say it with.
    if (!interest.close && !engine_->established() && driver.endpoint().state() != ReadyState::connecting) {
      interest = driver.on_failure(errc::aborted, now);
    }
    return interest.close ? finish(driver.endpoint().close_status(), now) : shape(interest, now);
  }

  bool may_seal() const noexcept {
    return engine_->established() && engine_->failure() == errc::none && !lingering_;
  }
  bool tells_end() const noexcept { return !end_told_ && stash_.empty() && input_ended(); }
  bool input_ended() const noexcept {
    return eof_ || engine_->peer_closed() || engine_->failure() != errc::none;
  }
  errc end_cause() noexcept;
  Interest shape(Interest interest, Instant now) noexcept;
  Interest finish(const CloseStatus& status, Instant now) noexcept;
  static void wipe(Bytes plain) noexcept;

  std::unique_ptr<TlsEngine> engine_;
  detail::InputStash stash_;   // plaintext
  std::size_t flight_ = 0;     // plaintext that was encrypted and is not written yet
  std::size_t discarded_ = 0;  // while lingering
  Instant linger_until_ = never;
  bool starved_ = false;    // there was no memory to encrypt with
  bool eof_ = false;        // the transport's
  bool end_told_ = false;   // the driver knows of the end of the input
  bool failed_ = false;     // because TLS has failed
  bool notified_ = false;   // close_notify is queued or was sent
  bool lingering_ = false;  // the driver has ended
  bool graceful_ = false;   // in good order
};

}  // namespace sansock
