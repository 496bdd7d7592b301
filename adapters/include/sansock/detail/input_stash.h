// What was read and not taken yet, because reading is paused.
#pragma once

#include <memory>
#include <new>
#include <vector>

#include "sansock/driver.h"

namespace sansock::detail {

class InputStash {
 public:
  bool empty() const noexcept { return stash_ == nullptr; }

  // Behind what is there. false: no memory.
  bool keep(ConstBytes rest) noexcept {
    if (rest.empty()) return true;
    try {
      if (stash_ == nullptr) stash_ = std::make_unique<Stash>();
      stash_->bytes.insert(stash_->bytes.end(), rest.begin(), rest.end());
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  }

  // Gives it to a driver. It moves out while it is fed, and what is left of it moves back, so that a handler
  // that pauses after each of many small messages does not have them copied each time.
  template <Handler H>
  Interest give_to(Driver<H>& driver, Instant now) {
    std::unique_ptr<Stash> stash = std::move(stash_);
    const Interest interest = driver.on_bytes(Bytes(stash->bytes).subspan(stash->begin), now);
    const Bytes rest = driver.detach_input();
    stash->begin = stash->bytes.size() - rest.size();
    if (!rest.empty()) stash_ = std::move(stash);
    return interest;
  }

 private:
  struct Stash {
    std::vector<std::byte> bytes;
    std::size_t begin = 0;  // before it, all was taken
  };
  std::unique_ptr<Stash> stash_;
};

}  // namespace sansock::detail
