// Frame headers as bytes, for those who prepare frames outside of a connection, such as broadcasts.
#pragma once

#include "sansock/types.h"

namespace sansock {

// Writes the header of an unmasked, unfragmented frame (RFC 6455 section 5.2) into `out`, which
// holds frame_header_max bytes. Returns its size: 2, 4 or 10.
std::size_t format_frame_header(std::byte* out, MessageType type, std::uint64_t payload_size) noexcept;

}  // namespace sansock
