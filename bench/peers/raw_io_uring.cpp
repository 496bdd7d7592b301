// The floor of io_uring: a TCP echo that knows nothing of messages. One system call a turn: it submits
// the sends of what the turn before received, and the receives of the connections that came after.
//
// A connection is watched by a poll, and gets a buffer only when there is something to receive. A ring
// of provided buffers takes one completion less, but receives from all ready connections before it
// sends to any, so that large messages leave the cache in between: results/io_uring_16k.md. Here the
// buffer that was freed last is the next one to be filled.
#include <liburing.h>
#include <poll.h>

#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "socket_loop.h"

namespace {

constexpr std::size_t buffer_bytes = 256u << 10;
constexpr std::size_t buffers_max = 16;
constexpr unsigned submission_entries = 1024;
constexpr unsigned completion_entries = 16384;

// Whole pages, so that the kernel copies between equally aligned addresses.
struct Page {
  alignas(4096) std::array<char, buffer_bytes> bytes;
};
using Buffer = std::unique_ptr<Page>;

struct Session {
  int fd = -1;
  bool ready = false;   // there may be something to receive
  bool polled = false;  // the kernel watches it
  bool ended = false;
  Buffer buffer = nullptr;  // while it receives or sends
  std::size_t begin = 0;    // of what is to be sent
  std::size_t end = 0;
};

// In the lowest bits of user_data, beside the session.
enum class Tag : std::uint64_t { accept, poll, receive, send, ignored, mask = 7 };

class Echo {
 public:
  explicit Echo(int listener) : listener_(listener) {
    open_ring();
    for (std::size_t i = 0; i < buffers_max; ++i) buffers_.push_back(std::make_unique<Page>());
  }

  [[noreturn]] void serve() {
    accept();
    for (;;) {
      receive_ready();
      const int result = io_uring_submit_and_wait(&ring_, 1);
      if (result < 0 && result != -EINTR && result != -EAGAIN) fail("io_uring_enter", result);
      sends_queued_ = 0;
      unsigned head = 0;
      unsigned count = 0;
      io_uring_cqe* completion = nullptr;
      io_uring_for_each_cqe(&ring_, head, completion) {
        ++count;
        handle(*completion);
      }
      io_uring_cq_advance(&ring_, count);
    }
  }

 private:
  // What this kernel has of what saves interrupts and locks.
  void open_ring() {
    int result = -EINVAL;
    for (const unsigned flags :
         {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN,
          IORING_SETUP_COOP_TASKRUN, 0u}) {
      io_uring_params parameters{};
      parameters.flags = flags | IORING_SETUP_CQSIZE;
      parameters.cq_entries = completion_entries;
      result = io_uring_queue_init_params(submission_entries, &ring_, &parameters);
      if (result != -EINVAL) break;
    }
    if (result < 0) fail("this kernel offers no io_uring", result);
    io_uring_register_ring_fd(&ring_);  // saves looking the descriptor up; works without
  }

  [[noreturn]] static void fail(const char* what, int result) {
    std::fprintf(stderr, "raw_io_uring: %s: %s\n", what, std::strerror(-result));
    std::exit(2);
  }

  io_uring_sqe* entry() {
    io_uring_sqe* free = io_uring_get_sqe(&ring_);
    if (free == nullptr) {
      io_uring_submit(&ring_);
      free = io_uring_get_sqe(&ring_);
    }
    if (free == nullptr) fail("no room to submit", -EBUSY);
    return free;
  }

  static void mark(io_uring_sqe* entry, Session* session, Tag tag) {
    entry->user_data = reinterpret_cast<std::uint64_t>(session) | static_cast<std::uint64_t>(tag);
  }

  void accept() {
    io_uring_sqe* const one = entry();
    io_uring_prep_multishot_accept(one, listener_, nullptr, nullptr, 0);
    mark(one, nullptr, Tag::accept);
  }

  void poll(Session& session) {
    io_uring_sqe* const one = entry();
    io_uring_prep_poll_multishot(one, session.fd, POLLIN);
    mark(one, &session, Tag::poll);
    session.polled = true;
  }

  void make_ready(Session& session) {
    if (session.ready) return;
    session.ready = true;
    if (session.buffer == nullptr) ready_.push_back(&session);
  }

  // Starts as many receives as there are buffers. Where all buffers are held by peers that take
  // nothing, so that none of them is about to come back, there is one more.
  void receive_ready() {
    if (!ready_.empty() && buffers_.empty() && sends_queued_ == 0) {
      buffers_.push_back(std::make_unique<Page>());
    }
    while (!ready_.empty() && !buffers_.empty()) {
      Session& session = *ready_.front();
      ready_.pop_front();
      session.ready = false;
      session.buffer = std::move(buffers_.back());
      buffers_.pop_back();
      io_uring_sqe* const one = entry();
      io_uring_prep_recv(one, session.fd, session.buffer->bytes.data(), buffer_bytes, MSG_DONTWAIT);
      mark(one, &session, Tag::receive);
    }
  }

  void send(Session& session) {
    io_uring_sqe* const one = entry();
    io_uring_prep_send(one, session.fd, session.buffer->bytes.data() + session.begin,
                       session.end - session.begin, MSG_NOSIGNAL);
    mark(one, &session, Tag::send);
    ++sends_queued_;
  }

  void handle(const io_uring_cqe& completion) {
    const std::uint64_t tag_mask = static_cast<std::uint64_t>(Tag::mask);
    const Tag tag = static_cast<Tag>(completion.user_data & tag_mask);
    const bool more = (completion.flags & IORING_CQE_F_MORE) != 0;
    if (tag == Tag::ignored) return;
    if (tag == Tag::accept) {
      if (completion.res >= 0) open(completion.res);
      if (!more) accept();
      return;
    }
    auto& session = *reinterpret_cast<Session*>(completion.user_data & ~tag_mask);
    if (tag == Tag::poll) {
      session.polled = more;
      if (!session.ended) make_ready(session);
      if (!session.ended && !more) poll(session);
    } else if (tag == Tag::receive) {
      received(session, completion.res);
    } else {
      sent(session, completion.res);
    }
    if (session.ended && !session.polled && session.buffer == nullptr) {
      close(session.fd);
      delete &session;
    }
  }

  void open(int fd) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    poll(*new Session{.fd = fd});
  }

  void received(Session& session, int result) {
    if (result <= 0) {
      release(session);
      if (result == 0 || (result != -EAGAIN && result != -EINTR)) end(session);
      return;
    }
    session.begin = 0;
    session.end = static_cast<std::size_t>(result);
    // The poll tells of what arrives; a full buffer may have left something behind.
    if (session.end == buffer_bytes) make_ready(session);
    send(session);
  }

  void sent(Session& session, int result) {
    if (result < 0) {
      release(session);
      end(session);
      return;
    }
    session.begin += static_cast<std::size_t>(result);
    if (session.begin < session.end) {
      send(session);
    } else {
      release(session);
    }
  }

  void release(Session& session) {
    buffers_.push_back(std::move(session.buffer));
    if (session.ready) ready_.push_back(&session);
  }

  // The session goes when its poll has ended.
  void end(Session& session) {
    if (session.ended) return;
    session.ended = true;
    if (session.ready) std::erase(ready_, &session);
    session.ready = false;
    if (!session.polled) return;
    io_uring_sqe* const one = entry();
    io_uring_prep_poll_remove(
        one, reinterpret_cast<std::uint64_t>(&session) | static_cast<std::uint64_t>(Tag::poll));
    mark(one, nullptr, Tag::ignored);
  }

  int listener_;
  io_uring ring_{};
  std::vector<Buffer> buffers_;
  std::deque<Session*> ready_;
  std::size_t sends_queued_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const int port = peer::port_argument(argc, argv);
  const int listener = peer::listen_at(port);
  Echo echo(listener);
  peer::print_ready_line("tcp", peer::port_of(listener));
  echo.serve();
}
