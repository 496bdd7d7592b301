#include "large_reads.h"

#include <sys/mman.h>

#include <cassert>
#include <new>

namespace sansock::detail {

LargeReads::~LargeReads() {
  if (buffers_[0].memory != nullptr) munmap(buffers_[0].memory, buffers_max * size_);
}

bool LargeReads::open() noexcept {
  if (buffers_[0].memory != nullptr) return true;
  // Whole pages: the kernel copies faster between equally aligned addresses.
  void* const memory =
      mmap(nullptr, buffers_max * size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  madvise(memory, buffers_max * size_, MADV_NOHUGEPAGE);
  for (std::size_t i = 0; i < buffers_max; ++i) {
    buffers_[i].memory = static_cast<std::byte*>(memory) + i * size_;
  }
  return true;
}

bool LargeReads::queue(UringTag tag) noexcept {
  assert(tag.op() != UringOp::ignored);
  try {
    queue_.push_back(tag);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

UringTag LargeReads::next() noexcept {
  if (queue_.empty() || used_ == buffers_max) return {};
  const UringTag tag = queue_.front();
  queue_.pop_front();
  return tag;
}

std::byte* LargeReads::take(UringTag tag) noexcept {
  assert(tag.op() != UringOp::ignored && buffers_[0].memory != nullptr);
  for (Buffer& buffer : buffers_) {
    if (buffer.user.op() != UringOp::ignored) continue;
    buffer.user = tag;
    ++used_;
    warm_ = true;
    return buffer.memory;
  }
  return nullptr;
}

const LargeReads::Buffer& LargeReads::buffer_of(UringTag tag) const noexcept {
  for (const Buffer& buffer : buffers_) {
    if (buffer.user.word() == tag.word()) return buffer;
  }
  __builtin_trap();  // a completion of what nobody asked for: memory would be used twice
}

Bytes LargeReads::received(UringTag tag, std::int32_t result) const noexcept {
  const auto size = static_cast<std::size_t>(result < 0 ? 0 : result);
  assert(size <= size_);
  return {buffer_of(tag).memory, size};
}

void LargeReads::recycle(UringTag tag) noexcept {
  const_cast<Buffer&>(buffer_of(tag)).user = {};
  --used_;
}

void LargeReads::trim() noexcept {
  if (!warm_ || used_ != 0) return;
  warm_ = false;
  madvise(buffers_[0].memory, buffers_max * size_, MADV_DONTNEED);
}

}  // namespace sansock::detail
