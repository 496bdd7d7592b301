// Tasks for a loop from other threads.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <system_error>
#include <vector>

namespace sansock {

class Mailbox {
 public:
  using Task = std::function<void()>;

  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox();

  // Makes the descriptor; before anything else.
  std::error_code open();
  // Readable when run() has something to do.
  int fd() const noexcept { return fd_; }

  // From any thread. false: closed, or not opened; the task is not kept.
  bool post(Task task);
  // From any thread and from signal handlers: makes fd() readable.
  void wake() noexcept;

  // The owner's: runs all that was posted before the call, in order.
  void run();
  // The owner's: post() gives false from here on; what is still there is dropped.
  void close();

 private:
  std::mutex mutex_;
  std::vector<Task> tasks_;
  bool closed_ = false;
  std::atomic<int> fd_ = -1;
};

}  // namespace sansock
