#include "thread_codec.h"

#include <new>

#ifdef SANSOCK_WITH_DEFLATE
#include "sansock/deflate_codec.h"
#endif
#include "sansock/server.h"

namespace sansock {

#ifdef SANSOCK_WITH_DEFLATE

struct ThreadCodec::Codec {
  explicit Codec(std::size_t memory_max) : deflate(memory_max) {}
  DeflateCodec deflate;
};

bool deflate_built_in() noexcept { return true; }

std::error_code ThreadCodec::open(std::size_t memory_max) {
  try {
    if (codec_ == nullptr) codec_ = std::make_unique<Codec>(memory_max);
  } catch (const std::bad_alloc&) {
    return std::make_error_code(std::errc::not_enough_memory);
  }
  return {};
}

MessageCodec* ThreadCodec::get() const noexcept { return codec_ == nullptr ? nullptr : &codec_->deflate; }
void ThreadCodec::trim() noexcept {
  if (codec_ != nullptr) codec_->deflate.trim();
}
std::size_t ThreadCodec::memory_used() const noexcept {
  return codec_ == nullptr ? 0 : codec_->deflate.memory_used();
}

#else

struct ThreadCodec::Codec {};

bool deflate_built_in() noexcept { return false; }
std::error_code ThreadCodec::open(std::size_t) {
  return std::make_error_code(std::errc::operation_not_supported);
}
MessageCodec* ThreadCodec::get() const noexcept { return nullptr; }
void ThreadCodec::trim() noexcept {}
std::size_t ThreadCodec::memory_used() const noexcept { return 0; }

#endif

ThreadCodec::ThreadCodec() noexcept = default;
ThreadCodec::~ThreadCodec() = default;

}  // namespace sansock
