// A Driver as the channels of the loops have it, and what only few connections have besides: TLS, and input
// that was read and not taken. A connection without either pays for a pointer.
#pragma once

#include <memory>
#include <new>
#include <utility>

#include "sansock/detail/input_stash.h"
#include "sansock/tls_layer.h"

namespace sansock::detail {

template <Handler H>
class Link {
 public:
  template <class... Args>
  explicit Link(Role role, const Config& config, Args&&... handler_arguments)
      : driver_(role, config, std::forward<Args>(handler_arguments)...) {}

  Driver<H>& driver() noexcept { return driver_; }
  const Endpoint& endpoint() const noexcept { return driver_.endpoint(); }

  // Puts TLS before the driver, which has had no input yet. false: no memory.
  bool secure(std::unique_ptr<TlsEngine> engine) noexcept {
    if (engine == nullptr || !ensure_extra()) return false;
    extra_->tls.reset(new (std::nothrow) TlsLayer(std::move(engine)));
    return extra_->tls != nullptr;
  }
  TlsLayer* tls() const noexcept { return extra_ == nullptr ? nullptr : extra_->tls.get(); }
  // There is nothing but the driver, which can be given what comes.
  bool plain() const noexcept { return extra_ == nullptr; }
  // Whether take_stash() has nothing to take, which comes before all that can be received.
  bool stash_empty() const noexcept { return extra_ == nullptr || extra_->stash.empty(); }
  // Whether anything waits that was received.
  bool input_waits() const noexcept { return !stash_empty() || (tls() != nullptr && tls()->input_waits()); }

  // When the transport last took output of a connection whose output is stalled; never: it is not. Without
  // memory for it, the stall deadline waits for the next short send.
  Instant progress_at() const noexcept { return extra_ == nullptr ? never : extra_->progress_at; }
  void set_progress_at(Instant at) noexcept {
    if (at == never ? extra_ != nullptr : ensure_extra()) extra_->progress_at = at;
  }
  // Gives back what is no longer needed.
  void trim() noexcept {
    if (extra_ != nullptr && extra_->tls == nullptr && extra_->stash.empty() &&
        extra_->progress_at == never) {
      extra_.reset();
    }
  }

  // What was received, wherever it lies: what is not taken is kept.
  Interest on_bytes(Bytes input, Instant now) {
    if (TlsLayer* const layer = tls()) return layer->on_bytes(driver_, input, now);
    if (stash_empty() && !driver_.endpoint().input_paused()) {
      const Interest interest = driver_.on_bytes(input, now);
      if (keep(driver_.detach_input())) return interest;
    } else if (keep(input)) {
      return driver_.resume(now);
    }
    return driver_.on_failure(errc::memory_exhausted, now);
  }
  // After Driver::take_bytes().
  Interest keep_rest(Instant now) {
    const Interest interest = driver_.resume(now);
    return keep(driver_.detach_input()) ? interest : driver_.on_failure(errc::memory_exhausted, now);
  }
  Interest take_stash(Instant now) { return extra_->stash.give_to(driver_, now); }
  Interest on_eof(Instant now) {
    if (TlsLayer* const layer = tls()) return layer->on_eof(driver_, now);
    return driver_.on_eof(now);
  }
  // There is nothing left that could be said to the peer: the transport is to be released.
  Interest on_failure(errc cause, Instant now) {
    if (TlsLayer* const layer = tls()) return layer->on_failure(driver_, cause, now);
    return driver_.on_failure(cause, now);
  }
  Interest on_timeout(Instant now) {
    if (TlsLayer* const layer = tls()) return layer->on_timeout(driver_, now);
    return driver_.on_timeout(now);
  }
  Interest on_written(std::size_t written, Instant now) {
    if (TlsLayer* const layer = tls()) return layer->on_written(driver_, written, now);
    return driver_.on_written(written, now);
  }
  Interest resume(Instant now) {
    if (TlsLayer* const layer = tls()) return layer->resume(driver_, now);
    return driver_.resume(now);
  }
  // What is to be sent. None, although output was there: no memory; resume() tells when to try again.
  std::size_t gather(std::span<IoSlice> slices) {
    if (TlsLayer* const layer = tls()) return layer->gather(driver_, slices);
    return driver_.gather(slices);
  }
  std::size_t output_size() const noexcept {
    const TlsLayer* const layer = tls();
    return layer != nullptr ? layer->output_size() : driver_.endpoint().output_size();
  }
  // What gather() gave is being sent, and stays until on_written().
  void lend_output() noexcept {
    if (tls() == nullptr) driver_.lend_output();
  }

 private:
  struct Extra {
    InputStash stash;
    Instant progress_at = never;
    std::unique_ptr<TlsLayer> tls;
  };

  bool ensure_extra() noexcept {
    if (extra_ == nullptr) extra_.reset(new (std::nothrow) Extra);
    return extra_ != nullptr;
  }
  bool keep(Bytes rest) noexcept { return rest.empty() || (ensure_extra() && extra_->stash.keep(rest)); }

  Driver<H> driver_;
  std::unique_ptr<Extra> extra_;
};

}  // namespace sansock::detail
