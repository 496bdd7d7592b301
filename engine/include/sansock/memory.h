// Memory that the engine borrows. It allocates nothing itself: whoever drives it injects these.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

#include "sansock/types.h"

namespace sansock {

// Hands out blocks of one fixed size, aligned to alignof(std::max_align_t). One pool serves one
// thread: calls are never concurrent. The pool must outlive every connection that uses it.
class BlockPool {
 public:
  // The size of every block, in bytes. Constant; at least `block_size_min`.
  virtual std::size_t block_size() const noexcept = 0;
  // A block, or nullptr when the pool has reached its limit. Contents are unspecified.
  virtual std::byte* acquire() noexcept = 0;
  // Gives back what acquire() returned.
  virtual void release(std::byte* block) noexcept = 0;

  // From now on blocks are filled with zeros as far as they were used before they are given back: what
  // was sent, or came in a control frame, then lies in no free block. For connections over TLS.
  void set_wiped() noexcept {
    at_hand_.wiped = true;
    at_hand_.size_max = 0;  // none is put back there without a look at it
  }
  // Fills bytes in a block with zeros, where that is wanted.
  void wipe(std::byte* bytes, std::size_t size) noexcept {
    if (at_hand_.wiped) [[unlikely]]
      std::memset(bytes, 0, size);
  }
  // Gives back what acquire() returned and `used` bytes of which were written.
  void release_used(std::byte* block, std::size_t used) noexcept {
    if (at_hand_.wiped) [[unlikely]]
      return release_wiped(block, used);
    release(block);
  }

  // acquire() and release() for where each message needs a block: without a call, as long as the pool has
  // some at hand or wants them there.
  bool at_hand() const noexcept { return at_hand_.size != 0; }
  // Only if at_hand():
  std::byte* take_at_hand() noexcept { return at_hand_.blocks[--at_hand_.size]; }
  std::size_t block_size_at_hand() const noexcept { return at_hand_.block_size; }
  void release_at_hand(std::byte* block, std::size_t used) noexcept {
    if (at_hand_.size >= at_hand_.size_max) return release_used(block, used);
    at_hand_.blocks[at_hand_.size++] = block;
  }

 protected:
  // Free blocks, the one that came back last on top. A pool that has none of these leaves it as it is; one
  // that has them makes the array, says how many there may be, and hands them out before any other.
  struct AtHand {
    std::byte** blocks = nullptr;
    std::uint32_t size = 0;
    std::uint32_t size_max = 0;
    std::size_t block_size = 0;  // block_size()
    bool wiped = false;
  };

  ~BlockPool() = default;

  AtHand at_hand_;

 private:
  // Apart, so that the others need no more than a jump.
  [[gnu::noinline, gnu::cold]] void release_wiped(std::byte* block, std::size_t used) noexcept {
    std::memset(block, 0, used);
    release(block);
  }
};

inline constexpr std::size_t block_size_min = 1024;

// Unpredictable bytes, for masking keys (RFC 6455 section 5.3: "MUST be unpredictable") and for
// Sec-WebSocket-Key. Called once a frame by a client; implementations should hand out of a batch.
class EntropySource {
 public:
  virtual void fill(Bytes out) noexcept = 0;

 protected:
  ~EntropySource() = default;
};

// Contiguous memory that grows with what has arrived, for MessageAssembler.
class MessageMemory {
 public:
  // Memory of at least `size_wanted` bytes that holds the first `size_used` bytes of `old` (which
  // may be empty, and is given back by this call). On failure: an empty span, and `old` is intact.
  virtual Bytes resize(Bytes old, std::size_t size_used, std::size_t size_wanted) noexcept = 0;
  virtual void release(Bytes memory) noexcept = 0;

 protected:
  ~MessageMemory() = default;
};

// One encoded, unmasked frame that many server connections send without copying it (broadcast).
// The count is atomic so that loops on several threads may share one frame.
struct SharedFrame {
  std::atomic<std::uint32_t> references{1};
  void (*destroy)(SharedFrame*) noexcept = nullptr;  // called when the last reference is gone
  ConstBytes bytes;                                  // frame header and payload, as on the wire
  // The payload was compressed by itself, with a window of so many bits; 0: it was not.
  std::uint8_t deflate_window_bits = 0;

  void retain() noexcept { references.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(this);
  }
};

}  // namespace sansock
