#include "server_listener.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace sansock {

std::error_code ServerListener::open(const ListenOptions& options, unsigned sockets) {
  tls_ = options.tls;
  return options.unix_path.empty() ? open_tcp(options, sockets) : open_unix(options, sockets);
}

std::error_code ServerListener::open_tcp(const ListenOptions& options, unsigned sockets) {
  TcpListenOptions tcp{
      .host = options.host, .port = options.port, .backlog = options.backlog, .reuse_port = sockets > 1};
  for (unsigned i = 0; i < sockets; ++i) {
    Socket socket;
    if (const std::error_code error = listen_tcp(tcp, socket)) return error;
    if (i == 0) address_ = local_address(socket.fd());
    tcp.port = address_.port;
    sockets_.push_back(std::move(socket));
  }
  return {};
}

std::error_code ServerListener::open_unix(const ListenOptions& options, unsigned sockets) {
  Socket first;
  if (const std::error_code error = listen_unix(options.unix_path, options.backlog, first)) return error;
  file_ = options.unix_path;
  address_ = local_address(first.fd());
  sockets_.push_back(std::move(first));
  while (sockets_.size() < sockets) {
    Socket copy(::fcntl(sockets_[0].fd(), F_DUPFD_CLOEXEC, 0));
    if (!copy.valid()) return {errno, std::system_category()};
    sockets_.push_back(std::move(copy));
  }
  return {};
}

void ServerListener::close() noexcept {
  sockets_.clear();
  if (!file_.empty()) ::unlink(file_.c_str());
  file_.clear();
}

}  // namespace sansock
