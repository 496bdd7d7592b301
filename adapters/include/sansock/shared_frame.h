// Frames that are encoded once and sent by many server connections.
#pragma once

#include "sansock/memory.h"

namespace sansock {

// Encodes an unmasked frame of a whole message. The caller owns one reference. nullptr: no memory.
SharedFrame* make_shared_frame(MessageType type, ConstBytes payload) noexcept;

}  // namespace sansock
