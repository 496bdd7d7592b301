// Loops that hold many connections each: one a thread, nothing shared but their mailboxes.
#pragma once

#include <algorithm>
#include <system_error>
#include <thread>

#include "any_loop.h"
#include "server_backend.h"

namespace sansock {

template <class Loop>
class LoopBackend final : public ServerBackend {
 public:
  explicit LoopBackend(ServerCore& core) : core_(core) {}

  std::error_code open(std::vector<ServerListener>& listeners) override {
    const unsigned count = std::max(1u, core_.options.threads);
    for (unsigned index = 0; index < count; ++index) {
      auto thread = std::make_unique<ServerThread>(core_, index, false);
      auto loop =
          std::make_unique<AnyLoopOf<Loop, ServerPeer, ServerThread>>(loop_options(index, count, *thread));
      if (const std::error_code error = thread->open(std::move(loop))) return error;
      for (ServerListener& listener : listeners) {
        if (const std::error_code error = thread->listen(listener.take(index), listener.tls())) return error;
      }
      threads_.push_back(std::move(thread));
    }
    return {};
  }

  // The first loop runs here.
  std::error_code run() override {
    std::error_code error;
    std::vector<std::thread> others;
    try {
      for (std::size_t index = 1; index < threads_.size(); ++index) {
        others.emplace_back([this, index] { threads_[index]->run(ServerThread::Until::stop); });
      }
    } catch (const std::system_error& failure) {
      error = failure.code();
      core_.stopping = true;
    }
    threads_[0]->run(ServerThread::Until::stop);
    for (std::thread& other : others) {
      other.join();
    }
    return error;
  }

  void wake() noexcept override {
    for (const auto& thread : threads_) thread->wake();
  }
  void for_each_thread(const std::function<void(ServerThread&)>& visit) override {
    for (const auto& thread : threads_) visit(*thread);
  }
  void with_thread(PeerId id, const std::function<void(ServerThread&)>& visit) override {
    if (id.thread < threads_.size()) visit(*threads_[id.thread]);
  }
  Server::Counters counters() override {
    Server::Counters sum;
    for (const auto& thread : threads_) add_counters(sum, thread->counters());
    return sum;
  }

 private:
  LoopOptions loop_options(unsigned index, unsigned count, ServerThread& thread) const {
    const ServerOptions& options = core_.options;
    // The shares of all threads add up to what was asked for.
    const unsigned share = options.connections_max / count + (index < options.connections_max % count);
    return {.receive_buffer_size = options.receive_buffer_size,
            .connections_max = std::max(1u, share),
            .output_stall_timeout = options.output_stall_timeout,
            .tcp_nodelay = options.tcp_nodelay,
            .zero_copy_min = options.zero_copy_min,
            .on_quiet = [&thread] { thread.trim(); }};
  }

  ServerCore& core_;
  std::vector<std::unique_ptr<ServerThread>> threads_;
};

}  // namespace sansock
