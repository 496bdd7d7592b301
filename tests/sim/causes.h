// Whether the end of a connection has its reason in what happened to it.
#pragma once

#include "conversation.h"
#include "link.h"

namespace sansock::sim {

bool explained(const Scene& scene, const Conversation& conversation, const Link& link,
               unsigned side) noexcept;

}  // namespace sansock::sim
