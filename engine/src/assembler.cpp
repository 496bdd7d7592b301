// MessageAssembler: whole messages out of runs.
#include "sansock/assembler.h"

#include <algorithm>
#include <cstring>

#include "assert.h"

namespace sansock {

namespace {

constexpr std::size_t memory_size_min = 1024;

}  // namespace

MessageAssembler::~MessageAssembler() { release(); }

MessageAssembler::Result MessageAssembler::add(const Event& event) noexcept {
  SANSOCK_ASSERT(event.kind == EventKind::data && event.begin == !collecting_);
  if (event.begin && event.end) {
    message_ = event.bytes;
    return Result::message;
  }
  collecting_ = true;
  if (event.begin) size_ = 0;
  const std::size_t wanted = size_ + event.bytes.size();
  if (wanted > memory_held_.size()) {
    // Doubling keeps the copying linear; the size follows what has arrived, not what was announced.
    const std::size_t doubled = std::max({wanted, 2 * memory_held_.size(), memory_size_min});
    Bytes memory = memory_->resize(memory_held_, size_, doubled);
    if (memory.empty() && doubled > wanted) memory = memory_->resize(memory_held_, size_, wanted);
    if (memory.empty()) {
      release();
      return Result::exhausted;
    }
    memory_held_ = memory;
  }
  if (!event.bytes.empty()) std::memcpy(memory_held_.data() + size_, event.bytes.data(), event.bytes.size());
  size_ = wanted;
  if (!event.end) return Result::incomplete;
  collecting_ = false;
  message_ = memory_held_.first(size_);
  return Result::message;
}

void MessageAssembler::release() noexcept {
  if (!memory_held_.empty()) memory_->release(memory_held_);
  memory_held_ = {};
  message_ = {};
  size_ = 0;
  collecting_ = false;
}

}  // namespace sansock
