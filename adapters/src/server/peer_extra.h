// What only some peers need, and most of them only now and then: kept out of the peer itself, so
// that an idle one stays small.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "sansock/assembler.h"

namespace sansock {

struct PeerExtra {
  std::optional<MessageAssembler> assembler;  // while a message is partly there
  std::string subprotocol;                    // one that is not in the route's list
  errc cause = errc::none;                    // what ended the peer, where the engine does not know
  std::uint8_t reason_size = 0;
  std::array<char, close_reason_max> reason;  // the peer's, between its Close frame and the end

  bool empty() const noexcept {
    return !assembler && subprotocol.empty() && cause == errc::none && reason_size == 0;
  }
  std::string_view close_reason() const noexcept { return {reason.data(), reason_size}; }

 private:
  friend class PeerExtraPool;
  std::unique_ptr<PeerExtra> next_;
};

// Keeps some that are not in use, so that a busy server does not allocate for each message that
// arrives in two reads. One a thread.
class PeerExtraPool {
 public:
  PeerExtraPool() = default;
  PeerExtraPool(const PeerExtraPool&) = delete;
  PeerExtraPool& operator=(const PeerExtraPool&) = delete;

  std::unique_ptr<PeerExtra> acquire() {
    if (!free_) return std::make_unique<PeerExtra>();
    std::unique_ptr<PeerExtra> extra = std::move(free_);
    free_ = std::move(extra->next_);
    --size_;
    return extra;
  }
  void release(std::unique_ptr<PeerExtra> extra) noexcept {
    if (!extra || size_ == size_max) return;
    extra->assembler.reset();
    extra->subprotocol.clear();
    extra->cause = errc::none;
    extra->reason_size = 0;
    extra->next_ = std::move(free_);
    free_ = std::move(extra);
    ++size_;
  }

 private:
  static constexpr std::size_t size_max = 64;

  std::unique_ptr<PeerExtra> free_;
  std::size_t size_ = 0;
};

}  // namespace sansock
