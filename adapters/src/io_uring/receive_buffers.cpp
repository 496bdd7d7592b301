#include "receive_buffers.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cerrno>
#include <new>

namespace sansock::detail {
namespace {

std::byte* map(std::size_t size) noexcept {
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

std::error_code system_error(int error) noexcept { return {error, std::system_category()}; }

}  // namespace

std::error_code ReceiveBuffers::open(io_uring* ring, unsigned count, std::size_t size) {
  assert(std::has_single_bit(count) && count <= 32'768);
  shared_size_ = count * sizeof(io_uring_buf);
  auto* const shared = reinterpret_cast<io_uring_buf_ring*>(map(shared_size_));
  memory_ = map(count * size);
  count_ = count;
  size_ = size;
  if (shared == nullptr || memory_ == nullptr) {
    if (shared != nullptr) munmap(shared, shared_size_);
    return system_error(ENOMEM);
  }
  // Otherwise two megabytes could be behind the first byte that arrives.
  madvise(memory_, count * size, MADV_NOHUGEPAGE);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uint64_t>(shared);
  registration.ring_entries = count;
  registration.bgid = group;
  if (const int result = io_uring_register_buf_ring(ring, &registration, 0); result < 0) {
    munmap(shared, shared_size_);
    return system_error(-result);
  }
  ring_ = ring;
  shared_ = shared;
  io_uring_buf_ring_init(shared_);
  try {
    spare_.reserve(count);
  } catch (const std::bad_alloc&) {
    return system_error(ENOMEM);
  }
  for (unsigned i = count; i-- > 0;) spare_.push_back(static_cast<std::uint16_t>(i));
  assert(count >= target_min);
  target_ = target_min;
  publish(false);
  return {};
}

ReceiveBuffers::~ReceiveBuffers() {
  if (shared_ != nullptr) {
    io_uring_unregister_buf_ring(ring_, group);
    munmap(shared_, shared_size_);
  }
  if (memory_ != nullptr) munmap(memory_, count_ * size_);
}

void ReceiveBuffers::spare(std::uint16_t buffer) noexcept {
  spare_.push_back(buffer);  // its room was reserved
  if (++reads_ % look_again == 0) look();
}

void ReceiveBuffers::look() noexcept {
  if (target_ > fitting()) shrink(fitting());
  if (reads_ < window) return;
  // Half of them would have done all the time.
  if (posted_min_ > target_ / 2) shrink(target_ / 2);
  reads_ = 0;
  posted_min_ = posted_;
}

// How many may be filled as they are now, and stay in a cache.
unsigned ReceiveBuffers::fitting() const noexcept {
  const auto filled = static_cast<std::size_t>(std::max<std::ptrdiff_t>(size_mean_, 1));
  return static_cast<unsigned>(std::clamp<std::size_t>(cache_size / filled, target_min, count_));
}

// The memory of those that are left over goes back to the kernel, and comes again when it is needed.
void ReceiveBuffers::shrink(unsigned target) noexcept {
  if (target < target_min || target >= target_) return;
  target_ = target;
  for (const std::uint16_t buffer : spare_) madvise(memory_of(buffer), size_, MADV_DONTNEED);
}

void ReceiveBuffers::starved() noexcept {
  posted_min_ = 0;
  target_ = std::max(target_, std::min(2 * target_, fitting()));
}

void ReceiveBuffers::publish(bool quiet) noexcept {
  if (quiet && warm_) {
    // A burst is over: what it has touched goes back to the kernel, posted or not.
    warm_ = false;
    target_ = target_min;
    madvise(memory_, count_ * size_, MADV_DONTNEED);
  }
  while (posted_ < target_ && !spare_.empty()) {
    const std::uint16_t buffer = spare_.back();
    spare_.pop_back();
    post(buffer);
  }
  if (pending_ == 0) return;
  io_uring_buf_ring_advance(shared_, pending_);
  pending_ = 0;
}

}  // namespace sansock::detail
