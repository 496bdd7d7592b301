#include "sansock/shared_frame.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "sansock/frame_format.h"

namespace sansock {

// One allocation: the frame's bytes lie behind its SharedFrame.
SharedFrame* make_shared_frame(MessageType type, ConstBytes payload) noexcept {
  std::byte header[frame_header_max];
  const std::size_t header_size = format_frame_header(header, type, payload.size());
  void* const memory = std::malloc(sizeof(SharedFrame) + header_size + payload.size());
  if (memory == nullptr) return nullptr;
  auto* const frame = new (memory) SharedFrame;
  auto* const bytes = reinterpret_cast<std::byte*>(frame + 1);
  std::memcpy(bytes, header, header_size);
  if (!payload.empty()) std::memcpy(bytes + header_size, payload.data(), payload.size());
  frame->bytes = {bytes, header_size + payload.size()};
  frame->destroy = [](SharedFrame* last) noexcept {
    last->~SharedFrame();
    std::free(last);
  };
  return frame;
}

}  // namespace sansock
