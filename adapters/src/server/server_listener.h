// The listening sockets of one Server::listen(): as many as there are loops.
#pragma once

#include <string>
#include <system_error>
#include <vector>

#include "sansock/server.h"
#include "sansock/socket.h"

namespace sansock {

class ServerListener {
 public:
  ServerListener() = default;
  ServerListener(ServerListener&& other) noexcept
      : sockets_(std::move(other.sockets_)),
        address_(std::move(other.address_)),
        tls_(std::move(other.tls_)),
        file_(std::exchange(other.file_, {})) {}  // or a moved one would remove it
  ServerListener& operator=(ServerListener&&) = delete;
  ~ServerListener() { close(); }

  // Binds `sockets` sockets to one place. A TCP port of 0 becomes what the first one got; a Unix
  // socket is one, of which every loop has a duplicate.
  std::error_code open(const ListenOptions& options, unsigned sockets);
  // Gives a socket away, once for each index. -1 if it was given already.
  int take(std::size_t index) noexcept { return sockets_[index].release(); }
  // Closes what was not given away, and removes the file of a Unix socket.
  void close() noexcept;
  const Address& address() const noexcept { return address_; }
  const std::shared_ptr<const TlsServer>& tls() const noexcept { return tls_; }

 private:
  std::error_code open_tcp(const ListenOptions& options, unsigned sockets);
  std::error_code open_unix(const ListenOptions& options, unsigned sockets);

  std::vector<Socket> sockets_;
  Address address_;
  std::shared_ptr<const TlsServer> tls_;
  std::string file_;  // of a Unix socket, while it is ours
};

}  // namespace sansock
