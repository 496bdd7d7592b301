#include "sansock/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace sansock {

Mailbox::~Mailbox() {
  if (fd_ >= 0) ::close(fd_);
}

std::error_code Mailbox::open() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) return {errno, std::system_category()};
  fd_ = fd;
  return {};
}

bool Mailbox::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || fd_ < 0) return false;
    tasks_.push_back(std::move(task));
  }
  wake();
  return true;
}

void Mailbox::wake() noexcept {
  const int saved = errno;  // a signal handler must not change it
  const std::uint64_t one = 1;
  // A full counter (EAGAIN) means that it is readable already.
  while (write(fd_, &one, sizeof one) < 0 && errno == EINTR) continue;
  errno = saved;
}

void Mailbox::run() {
  std::uint64_t count;
  while (read(fd_, &count, sizeof count) < 0 && errno == EINTR) continue;
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (Task& task : tasks) task();
}

void Mailbox::close() {
  std::vector<Task> dropped;  // destroyed outside of the lock: a task may own anything
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(tasks_);
}

}  // namespace sansock
