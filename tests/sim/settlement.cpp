#include "settlement.h"

#include "causes.h"

namespace sansock::sim {

namespace {

// Whether this side began to close for a reason of its own, rather than to answer the other's Close.
bool began_to_close(const Ending& side) noexcept { return side.asked_close || side.cause != errc::none; }

void settle_delivery(Scene& scene, const Conversation& conversation, unsigned port) {
  const unsigned side = port % 2;
  const Ending& sender = conversation.endings[side];
  const Ending& receiver = conversation.endings[1 - side];
  if (conversation.ledgers[side].settled()) return;
  // A Close frame that the peer sent by itself tells that it may not have read everything.
  if (sender.clean && !began_to_close(receiver) && !receiver.vanished) {
    scene.checks.fail("delivery", port, "a clean end, although messages were lost");
  }
}

// A side that fails says why, and reads on until the other one has heard it: a transport that is released
// with unread bytes in it may take the Close frame along.
void settle_failure(Scene& scene, const Conversation& conversation, const Link& link, unsigned port) {
  const Knobs& knobs = scene.knobs;
  const Ending& own = conversation.endings[port % 2];
  const Ending& peer = conversation.endings[1 - port % 2];
  const bool patient = !knobs.deadlines_tight && knobs.network.stall_timeout > std::chrono::seconds(100) &&
                       knobs.sides[port % 2].limits.discard_bytes_max > (1u << 20);
  if (link.faulted() || !patient || knobs.faults.sleep != 0 || peer.dropped || peer.vanished || own.dropped)
    return;
  if (own.sent == CloseCode::none || own.clean) return;
  // Where the other side began to close by itself, it may have ended before.
  if (peer.opened && !peer.peer_close && peer.sent == CloseCode::none)
    scene.checks.fail("delivery", port, "it has failed, and the other side was not told why");
}

void settle_codes(Scene& scene, const Conversation& conversation, unsigned port) {
  const Ending& own = conversation.endings[port % 2];
  const Ending& peer = conversation.endings[1 - port % 2];
  if (!own.peer_close || !peer.closed) return;
  if (own.received != peer.sent) {
    scene.checks.fail("codes", port,
                      "received the code " + std::to_string(static_cast<unsigned>(own.received)) +
                          ", sent was " + std::to_string(static_cast<unsigned>(peer.sent)));
  }
}

void settle_calm(Scene& scene, const Conversation& conversation, unsigned link_number) {
  const auto& [servers, clients] = conversation.endings;
  if (servers.refused || servers.left_early || clients.left_early) return;
  for (unsigned side = server; side <= client; ++side) {
    const Ending& ending = conversation.endings[side];
    const unsigned port = 2 * link_number + side;
    if (!ending.opened) scene.checks.fail("liveness", port, "without any fault, it was not opened");
    if (!ending.clean) {
      scene.checks.fail("liveness", port,
                        "without any fault, it was not closed cleanly: " + std::string(name(ending.cause)));
    }
    const Ledger& ledger = conversation.ledgers[side];
    if (!ledger.settled()) {
      scene.checks.fail("liveness", port,
                        "without any fault, " + std::to_string(ledger.accepted() - ledger.delivered()) +
                            " messages did not arrive");
    }
  }
}

}  // namespace

void settle(Scene& scene, const Conversation& conversation, const Link& link, unsigned link_number) {
  for (unsigned side = server; side <= client; ++side) {
    const Ending& ending = conversation.endings[side];
    const unsigned port = 2 * link_number + side;
    if (!ending.begun || ending.vanished) continue;
    if (!ending.closed) scene.checks.fail("events", port, "the transport was released without a last event");
    if (!explained(scene, conversation, link, side)) {
      scene.checks.fail("causes", port, "it ended without a reason: " + std::string(name(ending.cause)));
    }
    if (conversation.adversary) continue;
    settle_delivery(scene, conversation, port);
    settle_codes(scene, conversation, port);
    settle_failure(scene, conversation, link, port);
  }
  if (scene.knobs.calm()) settle_calm(scene, conversation, link_number);
}

}  // namespace sansock::sim
