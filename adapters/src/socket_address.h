// struct sockaddr of every family that we use, and what is made of it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <memory>
#include <string>

#include "sansock/address.h"

struct addrinfo;

namespace sansock {

union SocketAddress {
  sockaddr any;
  sockaddr_in ipv4;
  sockaddr_in6 ipv6;
  sockaddr_un unix_path;
  sockaddr_storage storage;
};

Address to_address(const SocketAddress& address, socklen_t size);
// false: the path is too long for a Unix socket (107 bytes) or has a NUL in it.
bool to_unix_address(const std::string& path, SocketAddress& address, socklen_t& size) noexcept;

struct FreeAddressList {
  void operator()(addrinfo* list) const noexcept;
};
using AddressList = std::unique_ptr<addrinfo, FreeAddressList>;

// The addresses of a host for stream sockets; `family` 0, 4 or 6. `passive`: for listening.
std::error_code resolve(const std::string& host, std::uint16_t port, int family, bool passive,
                        AddressList& list);

}  // namespace sansock
