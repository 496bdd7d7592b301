// The balance of one connection when both sides have ended: what was accepted was delivered, or the
// sender knows that it may not have been; codes agree; each end has its reason.
#pragma once

#include "conversation.h"
#include "link.h"

namespace sansock::sim {

void settle(Scene& scene, const Conversation& conversation, const Link& link, unsigned link_number);

}  // namespace sansock::sim
