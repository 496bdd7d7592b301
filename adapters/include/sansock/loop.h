// What the loops of the adapters have in common.
//
// A Loop<H> owns transports, each with a Driver<H>, and turns: wait, read, write, time. Its handler
// type H is yours; for Server and Client it is theirs. All calls are for the loop's own thread but
// post() and wake().
#pragma once

#include <cstdint>
#include <functional>

#include "sansock/driver.h"

namespace sansock {

// Names a connection of one loop. `serial` is never reused, so a stale id finds nothing.
struct ConnectionId {
  std::uint32_t slot = 0;
  std::uint64_t serial = 0;
  bool operator==(const ConnectionId&) const = default;
};

// A stream socket in a loop's hands: a descriptor, or the index of a direct one, which only the
// io_uring knows that it belongs to.
struct LoopSocket {
  int number = -1;
  bool direct = false;
};

struct LoopOptions {
  // The most that is read in one go. IoUringLoop has up to 256 buffers of this size, and uses memory for
  // what arrives in them.
  std::size_t receive_buffer_size = 256u << 10;
  unsigned connections_max = 18'000;
  Duration output_stall_timeout = std::chrono::seconds(60);
  bool tcp_nodelay = true;
  // IoUringLoop: output of this size or more leaves without being copied, where the kernel can do
  // that. It pays on network cards with large messages; over loopback the kernel copies all the same. Over
  // TLS the next flight (256 KiB at most) waits until the peer has acknowledged the one before.
  std::size_t zero_copy_min = SIZE_MAX;
  // IoUringLoop: a connection whose receives reach this size gets the next ones one by one, into a few
  // buffers that stay in the cache, where otherwise the kernel receives from all that have something at once.
  std::size_t large_receive_min = 64u << 10;
  // IoUringLoop: called when it gives back the memory of a burst that is over, for others who may.
  std::function<void()> on_quiet = {};
  // IoUringLoop: the thread of the first turn() makes all turns, which lets the kernel do less. Otherwise
  // any thread may make the next one, and a thread that has made some may end.
  bool one_thread = true;
};

struct LoopCounters {
  std::uint64_t accepted = 0;
  std::uint64_t closed = 0;
  std::uint64_t accept_backoffs = 0;
  std::uint64_t turns = 0;
  std::uint64_t enters = 0;       // IoUringLoop: system calls,
  std::uint64_t submissions = 0;  // and the operations handed over with them
};

// template <Handler H> class EpollLoop (sansock/epoll_loop.h)
// template <Handler H> class IoUringLoop (sansock/io_uring_loop.h)
// template <Handler H> class BlockingLoop (sansock/blocking_loop.h): one connection, poll(2)
//
//   std::error_code open();                         makes the descriptors that it needs
//   template <class... A> std::optional<ConnectionId> add(int fd, Role, const Config&, A&&... handler);
//                                                   takes a connected (or connecting) socket over
//   Driver<H>* find(ConnectionId);                  nullptr if it has ended
//   ConnectionId id(std::uint32_t slot) const;      of the connection that is in a slot now
//   bool secure(ConnectionId, std::unique_ptr<TlsEngine>);  puts TLS below a connection, right after add();
//                                                   false: no memory, and the connection is not safe to use
//   const TlsLayer* tls(ConnectionId);              nullptr without
//   void touch(ConnectionId);                       commands were given from outside its events:
//                                                   drain, flush and re-arm it at the end of the turn
//   void flush(ConnectionId);                       the same at once where that is possible: what many
//                                                   connections are given should not pile up first.
//                                                   Not inside an event of that connection
//   template <class Visit> void for_each(Visit);    visit(ConnectionId, Driver<H>&); may touch()
//   int fd(ConnectionId) const;                     for addresses and socket options; -1 for a direct
//                                                   descriptor, see IoUringLoop::with_fd()
//   void turn(Duration wait_max);                   one round; runs posted tasks
//   bool post(std::function<void()>);               from any thread; false after the loop's end
//   void wake() noexcept;                           from any thread and from signal handlers
//   unsigned connections() const;
//   const LoopCounters& counters() const;
//   std::error_code listen(int fd, AcceptFunction); not BlockingLoop: takes a listening socket over;
//                                                   AcceptFunction adds what it is given: an int, or
//                                                   of IoUringLoop a LoopSocket
//   void stop_accepting();
//
// A handler H may have `void on_gone(ConnectionId)`: called last, when the transport was released.

}  // namespace sansock
