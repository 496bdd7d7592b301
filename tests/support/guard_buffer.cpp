#include "guard_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sansock::testing {

GuardBuffer::GuardBuffer(std::size_t size) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  size_ = (size + page - 1) / page * page;
  mapped_ = size_ + 2 * page;
  void* const memory = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  base_ = static_cast<std::byte*>(memory) + page;
  if (memory == MAP_FAILED || mprotect(base_, size_, PROT_READ | PROT_WRITE) != 0) {
    std::perror("GuardBuffer");
    std::abort();
  }
}

GuardBuffer::~GuardBuffer() { munmap(base_ - (mapped_ - size_) / 2, mapped_); }

Bytes GuardBuffer::put_last(const Data& data) {
  std::byte* const at = base_ + size_ - data.size();
  if (!data.empty()) std::memcpy(at, data.data(), data.size());
  return {at, data.size()};
}

Bytes GuardBuffer::put_first(const Data& data) {
  if (!data.empty()) std::memcpy(base_, data.data(), data.size());
  return {base_, data.size()};
}

}  // namespace sansock::testing
