// What an IoUringLoop has to do that does not depend on its handler type: the ring, the buffers that
// are received into, the listeners, the mailbox. liburing stays behind it.
//
// An operation that the ring can not take now gives false; it is to be asked for again in the next
// turn. Whatever it points to must stay until its completion.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "sansock/detail/uring_completion.h"
#include "sansock/loop.h"
#include "sansock/mailbox.h"
#include "sansock/timer_queue.h"

namespace sansock::detail {

class UringCore {
 public:
  using AcceptFunction = std::function<void(LoopSocket)>;

  UringCore();
  UringCore(const UringCore&) = delete;
  UringCore& operator=(const UringCore&) = delete;
  ~UringCore();

  // What the kernel does not offer is told by the error: see io_uring_support().
  std::error_code open(const LoopOptions& options);

  // Hands over what was prepared; waits at most `wait_max`, until `deadline`, or until accepting may
  // be tried again.
  std::span<const UringCompletion> wait(Duration wait_max, Instant deadline, Instant now);
  void submit() noexcept;
  // The last wait() gave back the memory of a burst, because nothing had happened for a while.
  bool quiet() const noexcept;
  // Large output, and that of many connections, is handed over at once, and not with all that this turn
  // brings about: what it was queued in is used again while it is in the cache. Gives what was sent by that,
  // of `completions`.
  bool flush_due() const noexcept { return prepared_bytes_ >= flush_bytes || prepared_sends_ >= flush_sends; }
  std::span<const UringCompletion> flush(std::span<UringCompletion> completions) noexcept;

  // --- a connection's operations ----------------------------------------------------------------
  // What it completes with and is cancelled by: UringOp::receive or, of an older kernel, receive_once;
  // `ignored` where the ring can not take it.
  UringOp receive(LoopSocket socket, UringTag tag) noexcept;
  // A connection to which much comes at a time is watched instead, waits, and receives when it is its turn:
  // see LargeReads. Whether a receive was so large, and there is memory for that;
  bool large(std::int32_t received) noexcept { return received >= large_min_ && open_large(); }
  // whether one brought little after that;
  bool few(std::int32_t received) const noexcept { return received < large_min_ / 16; }
  // completes each time when there is something to receive;
  bool watch_readable(LoopSocket socket, UringTag tag) noexcept;
  // whether it could be put into the queue: false is for want of memory;
  bool queue_large(UringTag tag) noexcept;
  std::size_t large_queued() const noexcept;
  // the next that there is a buffer for; a tag without an operation: none;
  UringTag next_large() noexcept;
  // asks for what is there now, into that buffer;
  bool receive_large(LoopSocket socket, UringTag tag) noexcept;
  // and what came, with the way back of its memory.
  Bytes received_large(const UringCompletion& completion) const noexcept;
  void recycle_large(const UringCompletion& completion) noexcept;
  // There may have been more than the buffer had room for.
  bool filled_large(const UringCompletion& completion) const noexcept;

  // Without copying if that is allowed and worth while. Two completions then: a result with `more`, and
  // a notification that the memory is free again. `large`: of a connection to which much comes, whose output
  // is bounded by the buffers for that, and does not count for flush_due().
  bool send(LoopSocket socket, UringTag tag, std::span<const IoSlice> slices, bool zero_copy_allowed,
            bool large) noexcept;
  // The same for one slice that is not worth sending without copying it, see copied(). false also where
  // send() would make room for it first.
  bool send_copied(LoopSocket socket, UringTag tag, IoSlice slice) noexcept;
  bool copied(std::size_t size) const noexcept { return size < zero_copy_min_; }
  // Whether a receive brought something, and not so much that large() is to be asked.
  bool small(std::int32_t received) const noexcept {
    return static_cast<std::uint32_t>(received) - 1 < static_cast<std::uint32_t>(large_min_) - 1;
  }
  // Completes for direct descriptors, the others are shut down at once. The kernel looks the descriptor
  // up when a thread of its own gets to it, so that it must not be closed before.
  bool shutdown(LoopSocket socket, UringTag tag, int how) noexcept;
  // Completes each time when a half has ended or the connection has failed; the result has the events.
  bool watch_hang_up(LoopSocket socket, UringTag tag) noexcept;
  bool cancel(UringTag tag) noexcept;
  void close(LoopSocket socket) noexcept;
  // A descriptor of its own for a direct one; -1 where there is none to be had.
  int install(LoopSocket socket) noexcept;

  // The bytes of a completion, and their memory's way back.
  Bytes received(const UringCompletion& completion) noexcept;
  void recycle(const UringCompletion& completion) noexcept;
  // Both in one, for bytes that nobody keeps: view(), and used() when nobody looks at them any more.
  Bytes view(const UringCompletion& completion) const noexcept {
    if (completion.buffer() >= buffers_) [[unlikely]]
      __builtin_trap();
    return {buffers_memory_ + completion.buffer() * buffer_size_,
            static_cast<std::size_t>(completion.result)};
  }
  void used(const UringCompletion& completion) noexcept;
  // Both, for bytes that nobody wants.
  void discard(const UringCompletion& completion) noexcept;
  // Whether the error of a receive() tells that it only has to be asked for again.
  bool receive_again(const UringCompletion& completion) noexcept;
  // Likewise of send(): not at once, but soon.
  static bool send_later(int error) noexcept;
  // Whether a zero-copy send may fail with it where a copying one does not.
  static bool copy_instead(int error) noexcept;

  // --- listeners --------------------------------------------------------------------------------
  std::error_code listen(int fd, AcceptFunction accepted);
  void stop_accepting() noexcept;
  // Accepts that were asked for have not ended yet, also of listeners that were stopped.
  bool accepting() const noexcept;
  // `room`: how many more connections are allowed.
  void on_accept(const UringCompletion& completion, unsigned room, Instant now);
  // Hands out what was accepted while there was no room, and takes listening up again where it was
  // suspended. `freed`: descriptors or connections have become free.
  void try_accepting_again(bool freed, unsigned room, Instant now);
  void on_mailbox(const UringCompletion& completion);

  const LoopCounters& counters() const noexcept;

  Mailbox mailbox;
  TimerQueue timers;

 private:
  static constexpr std::size_t flush_bytes = 64u << 10;
  static constexpr std::size_t flush_sends = 64;

  bool open_large() noexcept;

  struct Parts;
  std::unique_ptr<Parts> parts_;
  std::size_t zero_copy_min_ = SIZE_MAX;
  std::int32_t large_min_ = INT32_MAX;  // at least 1
  // Of the buffers that are received into.
  std::byte* buffers_memory_ = nullptr;
  std::size_t buffer_size_ = 0;
  unsigned buffers_ = 0;
  std::size_t prepared_sends_ = 0;  // that were not handed over yet,
  std::size_t prepared_bytes_ = 0;  // and what they send
};

}  // namespace sansock::detail
