// The floor: a TCP echo over epoll that knows nothing of messages. One read into a buffer that all
// connections share, one write; what the socket does not take is kept, and reading pauses.
#include <string>

#include "socket_loop.h"

namespace {

char buffer[256 << 10];

class Session {
 public:
  Session(int epoll, int fd) : epoll_(epoll), fd_(fd) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { close(fd_); }

  bool handle(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) {
      if (!write(rest_.data(), rest_.size())) return false;
    } else if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
      const ssize_t size = recv(fd_, buffer, sizeof buffer, 0);
      if (size < 0) return errno == EAGAIN;
      return size > 0 && write(buffer, static_cast<std::size_t>(size));
    }
    return true;
  }

 private:
  bool write(const char* data, std::size_t size) {
    const ssize_t sent = send(fd_, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    const std::size_t taken = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    const bool waited = !rest_.empty();
    rest_ = std::string(data + taken, size - taken);
    if (waited != !rest_.empty()) {
      peer::watch(epoll_, EPOLL_CTL_MOD, fd_, this, rest_.empty(), !rest_.empty());
    }
    return true;
  }

  int epoll_;
  int fd_;
  std::string rest_;
};

}  // namespace

int main(int argc, char** argv) { peer::serve<Session>("tcp", peer::port_argument(argc, argv)); }
