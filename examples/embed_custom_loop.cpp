// The engine alone in a hand-written poll() loop: an echo server for many connections on port 9002,
// or on the one given. It uses no part of sansock but the engine; engine/EMBEDDING.md explains it.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <vector>

#include "sansock/endpoint.h"

using namespace sansock;
static_assert(sizeof(IoSlice) == sizeof(iovec));  // gather() fills what sendmsg() takes

struct Pool final : BlockPool {  // where queued output lies: from the heap, at most 64 MiB
  std::size_t block_size() const noexcept override { return 16384; }
  std::byte* acquire() noexcept override { return left > 0 ? --left, new std::byte[16384] : nullptr; }
  void release(std::byte* block) noexcept override { ++left, delete[] block; }
  int left = 4096;
};

struct Session {
  Session(int socket, const Config& config) : fd(socket), endpoint(Role::server, config) {}
  int fd;
  Endpoint endpoint;
  bool shut = false;
};

Instant now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

void handle_events(Endpoint& endpoint) {  // after each input, until there are none
  while (const Event event = endpoint.poll()) {
    std::error_code error;
    if (event.kind == EventKind::request && event.error == errc::none) error = endpoint.accept();
    if (event.kind == EventKind::data) error = endpoint.send_part(event.type, event.bytes, event.end);
    if (error == condition::limit_exceeded) endpoint.abort(errc::aborted);  // the pool is exhausted
  }
}

void read_input(int fd, Endpoint& endpoint) {
  static std::byte buffer[65536];  // one for all connections: what is fed is consumed at once
  const ssize_t size = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (size > 0) endpoint.feed({buffer, static_cast<std::size_t>(size)}, now());
  if (size == 0) endpoint.feed_eof(now());
  if (size < 0 && errno != EAGAIN && errno != EINTR) endpoint.abort(errc::transport_error);
}

void write_output(int fd, Endpoint& endpoint) {
  IoSlice slices[16];
  msghdr message = {};
  message.msg_iov = reinterpret_cast<iovec*>(slices);
  message.msg_iovlen = endpoint.gather(slices);
  const ssize_t size = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size > 0) endpoint.consume(static_cast<std::size_t>(size), now());
  if (size < 0 && errno != EAGAIN && errno != EINTR) endpoint.abort(errc::transport_error);
}

bool turn(Session& session, int ready) {  // true: it is over, and its socket closed
  auto& [fd, endpoint, shut] = session;
  if (endpoint.deadline() <= now()) endpoint.handle_timeout(now()), handle_events(endpoint);
  if (ready & ~POLLOUT && endpoint.wants_input()) read_input(fd, endpoint), handle_events(endpoint);
  if (endpoint.output_size() > 0) write_output(fd, endpoint), handle_events(endpoint);
  const TransportAction action = endpoint.transport_action();
  if (action == TransportAction::shutdown_write && !shut) shut = shutdown(fd, SHUT_WR) == 0;
  return action == TransportAction::close && close(fd) == 0;
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 9002, on = 1;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = {AF_INET, htons(static_cast<std::uint16_t>(port)), {htonl(INADDR_LOOPBACK)}, {}};
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) || listen(listener, 128)) {
    return std::perror("embed_custom_loop: can not listen: choose another port"), 1;
  }
  std::printf("listening on ws://127.0.0.1:%d/\n", port), std::fflush(stdout);
  Pool pool;
  const Config config = {.pool = &pool, .origin_policy = OriginPolicy::any};  // for pages of any site
  for (std::list<Session> sessions;;) {
    std::vector<pollfd> polls = {{sessions.size() < 1000 ? listener : -1, POLLIN, 0}};
    Instant wake = never;
    for (const auto& [fd, endpoint, shut] : sessions) {
      const bool read = endpoint.wants_input() && endpoint.output_size() < 262144;  // backpressure
      const int wanted = (read ? POLLIN : 0) | (endpoint.output_size() > 0 ? POLLOUT : 0);
      polls.push_back({fd, static_cast<short>(wanted), 0});
      wake = std::min(wake, endpoint.deadline());
    }
    const Duration wait = std::min<Duration>(std::max(wake, now()) - now(), std::chrono::hours(1));
    poll(polls.data(), polls.size(), static_cast<int>(wait / std::chrono::milliseconds(1)) + 1);
    auto ready = polls.begin();
    sessions.remove_if([&](Session& session) { return turn(session, (++ready)->revents); });
    if (polls[0].revents == 0) continue;
    if (const int fd = accept(listener, nullptr, nullptr); fd >= 0) sessions.emplace_back(fd, config);
  }
}
