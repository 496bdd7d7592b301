// The blocking adapter's server: the thread of run() accepts, and each connection has a thread with
// a loop of its own, which is reached through that loop's mailbox.
#include "server_backend.h"

#ifdef SANSOCK_WITH_BLOCKING
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "any_loop.h"
#include "sansock/blocking_loop.h"

namespace sansock {
namespace {

constexpr int accept_backoff_ms = 100;
constexpr int wait_forever = -1;
// One a connection here, so less than what many connections share elsewhere.
constexpr std::size_t receive_buffer_max = 64u << 10;

using SessionLoop = AnyLoopOf<BlockingLoop<ServerPeer>, ServerPeer, ServerThread>;

// One connection's thread.
struct Session {
  Session(ServerCore& core, std::uint64_t index) : thread(core, index, true) {}
  ServerThread thread;
  std::thread system_thread;
};

class BlockingBackend final : public ServerBackend {
 public:
  explicit BlockingBackend(ServerCore& core) : core_(core) {}
  ~BlockingBackend() override {
    if (wake_fd_ >= 0) ::close(wake_fd_);
  }

  std::error_code open(std::vector<ServerListener>& listeners) override;
  std::error_code run() override;
  void wake() noexcept override;
  void for_each_thread(const std::function<void(ServerThread&)>& visit) override;
  void with_thread(PeerId id, const std::function<void(ServerThread&)>& visit) override;
  Server::Counters counters() override;

 private:
  enum class Accepted : std::uint8_t { one, none, backoff };

  bool accepting() const noexcept;
  bool wait(bool backing_off);
  struct Listener {
    int fd;
    std::shared_ptr<const TlsServer> tls;
  };

  Accepted accept_one(const Listener& listener);
  std::error_code start_session(int fd, const Listener& listener);
  void serve(Session& session, int fd, const TlsServer* tls) noexcept;
  void join_finished();
  void join_all();
  void close_listeners() noexcept;

  ServerCore& core_;
  int wake_fd_ = -1;
  std::vector<Listener> listeners_;
  std::uint64_t next_index_ = 0;
  std::atomic<std::uint64_t> accept_backoffs_{0};

  std::mutex mutex_;  // of all below; nothing is called under it that could take it again
  std::unordered_map<std::uint64_t, std::unique_ptr<Session>> sessions_;
  std::vector<std::uint64_t> finished_;  // their threads are about to end
  Server::Counters ended_;               // counters of sessions that are gone
};

std::error_code BlockingBackend::open(std::vector<ServerListener>& listeners) {
  wake_fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_fd_ < 0) return {errno, std::system_category()};
  for (ServerListener& listener : listeners) listeners_.push_back({listener.take(0), listener.tls()});
  // A thread that is never started, to find contradictions in the routes before the first client does.
  return ServerThread(core_, 0, true).open(std::make_unique<SessionLoop>(LoopOptions{}));
}

void BlockingBackend::wake() noexcept {
  const std::uint64_t one = 1;
  const int saved = errno;  // this may be a signal handler
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
  errno = saved;
}

// --- accepting ------------------------------------------------------------------------------------

std::error_code BlockingBackend::run() {
  bool backing_off = false;
  while (!core_.stopping.load(std::memory_order_acquire)) {
    join_finished();
    if (core_.accept_stopped.load(std::memory_order_acquire)) close_listeners();
    const bool ready = wait(backing_off);
    backing_off = false;
    for (std::size_t index = 0; ready && index < listeners_.size() && accepting(); ++index) {
      Accepted accepted = Accepted::one;
      while (accepted == Accepted::one && accepting()) accepted = accept_one(listeners_[index]);
      if (accepted == Accepted::backoff) backing_off = true;
    }
    if (backing_off) accept_backoffs_.fetch_add(1, std::memory_order_relaxed);
  }
  close_listeners();
  join_all();
  return {};
}

// Connections over the limit wait in the backlog.
bool BlockingBackend::accepting() const noexcept {
  return !core_.stopping.load(std::memory_order_relaxed) &&
         !core_.accept_stopped.load(std::memory_order_relaxed) &&
         sessions_.size() < core_.options.connections_max;
}

// Waits for a connection, a wake-up, or the end of the back-off. true: look at the listeners.
bool BlockingBackend::wait(bool backing_off) {
  std::vector<pollfd> waits{{.fd = wake_fd_, .events = POLLIN, .revents = 0}};
  const bool listening = accepting() && !backing_off;
  for (const Listener& listener : listeners_) {
    if (listening) waits.push_back({.fd = listener.fd, .events = POLLIN, .revents = 0});
  }
  const int ready = ::poll(waits.data(), waits.size(), backing_off ? accept_backoff_ms : wait_forever);
  if (ready > 0 && waits[0].revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t taken = ::read(wake_fd_, &count, sizeof count);
  }
  return ready > 0 || backing_off;
}

BlockingBackend::Accepted BlockingBackend::accept_one(const Listener& listener) {
  const int fd = ::accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    switch (errno) {
      case EAGAIN: return Accepted::none;
      case EINTR:
      case EPROTO:
      case EPERM:
      case ECONNABORTED: return Accepted::one;  // a client that is gone again: on to the next
      default: return Accepted::backoff;        // EMFILE and the like: looking again at once would spin
    }
  }
  return start_session(fd, listener) ? Accepted::backoff : Accepted::one;
}

std::error_code BlockingBackend::start_session(int fd, const Listener& listener) {
  const LoopOptions loop_options{
      .receive_buffer_size = std::min(core_.options.receive_buffer_size, receive_buffer_max),
      .connections_max = 1,
      .output_stall_timeout = core_.options.output_stall_timeout,
      .tcp_nodelay = core_.options.tcp_nodelay};
  const std::uint64_t index = next_index_++;
  auto session = std::make_unique<Session>(core_, index);
  Session& started = *session;
  std::error_code error = started.thread.open(std::make_unique<SessionLoop>(loop_options));
  if (!error) {
    // Held until the session is known, so that it can not end before.
    const std::lock_guard lock(mutex_);
    sessions_.emplace(index, std::move(session));
    try {
      started.system_thread =
          std::thread([this, &started, fd, tls = listener.tls] { serve(started, fd, tls.get()); });
    } catch (const std::system_error& failure) {
      error = failure.code();
      sessions_.erase(index);
    }
  }
  if (error) ::close(fd);
  return error;
}

void BlockingBackend::serve(Session& session, int fd, const TlsServer* tls) noexcept {
  if (session.thread.add({fd}, tls)) session.thread.run(ServerThread::Until::empty);
  {
    const std::lock_guard lock(mutex_);
    finished_.push_back(session.thread.index());
  }
  wake();
}

// --- ending ---------------------------------------------------------------------------------------

void BlockingBackend::join_finished() {
  std::vector<std::unique_ptr<Session>> ended;
  {
    const std::lock_guard lock(mutex_);
    for (const std::uint64_t index : finished_) {
      const auto found = sessions_.find(index);
      add_counters(ended_, found->second->thread.counters());
      ended.push_back(std::move(found->second));
      sessions_.erase(found);
    }
    finished_.clear();
  }
  for (const auto& session : ended) session->system_thread.join();
}

// Each thread ends its connection in the way of Server::stop(), bounded by stop_timeout.
void BlockingBackend::join_all() {
  for_each_thread([](ServerThread& thread) { thread.wake(); });
  while (true) {
    join_finished();
    {
      const std::lock_guard lock(mutex_);
      if (sessions_.empty()) return;
    }
    pollfd finished{.fd = wake_fd_, .events = POLLIN, .revents = 0};
    if (::poll(&finished, 1, wait_forever) <= 0) continue;
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t taken = ::read(wake_fd_, &count, sizeof count);
  }
}

void BlockingBackend::close_listeners() noexcept {
  for (const Listener& listener : listeners_) ::close(listener.fd);
  listeners_.clear();
}

// --- from any thread ------------------------------------------------------------------------------

void BlockingBackend::for_each_thread(const std::function<void(ServerThread&)>& visit) {
  const std::lock_guard lock(mutex_);
  for (const auto& [index, session] : sessions_) visit(session->thread);
}

void BlockingBackend::with_thread(PeerId id, const std::function<void(ServerThread&)>& visit) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(ServerThread::own_index(id));
  if (found != sessions_.end()) visit(found->second->thread);
}

Server::Counters BlockingBackend::counters() {
  const std::lock_guard lock(mutex_);
  Server::Counters sum = ended_;
  for (const auto& [index, session] : sessions_) add_counters(sum, session->thread.counters());
  sum.accept_backoffs += accept_backoffs_.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace

std::unique_ptr<ServerBackend> make_blocking_backend(ServerCore& core) {
  return std::make_unique<BlockingBackend>(core);
}

}  // namespace sansock

#else

namespace sansock {

std::unique_ptr<ServerBackend> make_blocking_backend(ServerCore&) { return nullptr; }

}  // namespace sansock
#endif
