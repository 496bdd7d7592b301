// How the block of the pool that an opening handshake borrows is divided (see Endpoint): the
// handshake itself, the head that it keeps, the kept part of a refusal's body, and the answer while
// it is written.
#pragma once

#include <cstddef>

namespace sansock::detail {

inline constexpr std::size_t opening_object_max = 512;
inline constexpr std::size_t opening_answer_min = 2048;

}  // namespace sansock::detail
