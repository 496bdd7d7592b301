#include "sansock/frame_format.h"

#include "frame_header.h"

namespace sansock {

std::size_t format_frame_header(std::byte* out, MessageType type, std::uint64_t payload_size) noexcept {
  write_header(out, fin_bit | static_cast<unsigned>(type), payload_size, false, {});
  return header_size_for(payload_size, false);
}

}  // namespace sansock
