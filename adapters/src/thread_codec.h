// The codec of one thread's connections, where the library was built with one and somebody wants it.
#pragma once

#include <cstddef>
#include <memory>
#include <system_error>

#include "sansock/codec.h"

namespace sansock {

class ThreadCodec {
 public:
  ThreadCodec() noexcept;
  ThreadCodec(const ThreadCodec&) = delete;
  ThreadCodec& operator=(const ThreadCodec&) = delete;
  ~ThreadCodec();

  // Makes it, if it is not there yet. std::errc::operation_not_supported where it is not built in.
  std::error_code open(std::size_t memory_max);
  MessageCodec* get() const noexcept;  // nullptr before open()
  void trim() noexcept;
  std::size_t memory_used() const noexcept;

 private:
  struct Codec;
  std::unique_ptr<Codec> codec_;
};

}  // namespace sansock
