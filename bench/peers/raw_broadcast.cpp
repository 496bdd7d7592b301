// The floor of a broadcast: what one connection sends is sent to all of them, in one loop of send().
#include <string>
#include <vector>

#include "socket_loop.h"

namespace {

std::vector<int> all;

class Session {
 public:
  Session(int, int fd) : fd_(fd) { all.push_back(fd); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    std::erase(all, fd_);
    close(fd_);
  }

  bool handle(std::uint32_t) {
    static char buffer[64 << 10];
    const ssize_t size = recv(fd_, buffer, sizeof buffer, 0);
    if (size < 0) return errno == EAGAIN;
    for (const int fd : size == 0 ? std::vector<int>() : all) {
      const ssize_t sent = send(fd, buffer, static_cast<std::size_t>(size), MSG_NOSIGNAL);
      // Who went is removed at its own event. Nobody is behind: the next message comes when all have this
      // one.
      if (sent != size && errno != EPIPE && errno != ECONNRESET) peer::die("send");
    }
    return size > 0;
  }

 private:
  int fd_;
};

}  // namespace

int main(int argc, char** argv) { peer::serve<Session>("tcp", peer::port_argument(argc, argv)); }
