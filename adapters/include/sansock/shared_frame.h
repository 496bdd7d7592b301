// Frames that are encoded once and sent by many server connections.
#pragma once

#include "sansock/codec.h"
#include "sansock/memory.h"

namespace sansock {

// Encodes an unmasked frame of a whole message. The caller owns one reference. nullptr: no memory.
SharedFrame* make_shared_frame(MessageType type, ConstBytes payload) noexcept;
// The same, compressed by itself, for connections that have agreed on a window of `window_bits` bits or more
// for the server's messages. nullptr also if it does not shrink.
SharedFrame* make_shared_frame(MessageType type, ConstBytes payload, MessageCodec& codec,
                               const DeflateOptions& options, std::uint8_t window_bits) noexcept;

}  // namespace sansock
