// How a server's connections are spread over threads. One class an adapter:
//   LoopBackend<Loop>   server_loop_backend.h: `threads` loops, each with its own listening sockets
//   BlockingBackend     server_blocking_backend.cpp: a thread that accepts, and one a connection
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "sansock/server.h"
#include "server_core.h"
#include "server_listener.h"
#include "server_thread.h"

namespace sansock {

class ServerBackend {
 public:
  ServerBackend() = default;
  ServerBackend(const ServerBackend&) = delete;
  ServerBackend& operator=(const ServerBackend&) = delete;
  virtual ~ServerBackend() = default;

  // Makes the loops and takes the listening sockets over.
  virtual std::error_code open(std::vector<ServerListener>& listeners) = 0;
  // Serves until ServerCore::stopping is set and all has ended.
  virtual std::error_code run() = 0;

  // From any thread, and from signal handlers: everyone looks at ServerCore's flags.
  virtual void wake() noexcept = 0;
  // From any thread. `visit` only posts.
  virtual void for_each_thread(const std::function<void(ServerThread&)>& visit) = 0;
  virtual void with_thread(PeerId id, const std::function<void(ServerThread&)>& visit) = 0;
  virtual Server::Counters counters() = 0;
};

// Adds what a thread has counted.
void add_counters(Server::Counters& sum, const ServerThread::Counters& counters) noexcept;

// nullptr where the adapter was not built in.
std::unique_ptr<ServerBackend> make_epoll_backend(ServerCore& core);
std::unique_ptr<ServerBackend> make_blocking_backend(ServerCore& core);
std::unique_ptr<ServerBackend> make_io_uring_backend(ServerCore& core);
std::unique_ptr<ServerBackend> make_backend(Adapter adapter, ServerCore& core);

}  // namespace sansock
