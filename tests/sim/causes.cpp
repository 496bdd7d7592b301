#include "causes.h"

namespace sansock::sim {

namespace {

bool limit_explained(const Scene& scene, const Conversation& conversation, unsigned side,
                     errc cause) noexcept {
  const Knobs& knobs = scene.knobs;
  if (cause == errc::blocks_exhausted) return knobs.blocks_scarce;
  if (conversation.adversary) return true;
  const Limits& limits = knobs.sides[side].limits;
  const Ledger::Extent& sent = conversation.ledgers[1 - side].extent_max();
  switch (cause) {
    case errc::message_too_big: return sent.size > limits.message_payload_max;
    case errc::frame_too_big: return sent.frame > limits.frame_payload_max;
    case errc::fragments_too_many: return sent.frames > limits.message_fragments_max;
    case errc::fragments_empty_too_many: return sent.frames_empty > limits.message_fragments_empty_max;
    default: return knobs.limits_tight;
  }
}

bool timeout_explained(const Scene& scene, bool trouble, errc cause) noexcept {
  const Knobs& knobs = scene.knobs;
  if (trouble || knobs.deadlines_tight || knobs.faults.sleep != 0) return true;
  if (cause == errc::output_stall_timeout) return knobs.network.stall_timeout < std::chrono::seconds(100);
  // A Pong for which there was no block, and a handshake that had to wait for one.
  return knobs.blocks_scarce && (cause == errc::pong_timeout || cause == errc::handshake_timeout);
}

bool transport_explained(const Conversation& conversation, const Link& link, unsigned side,
                         errc cause) noexcept {
  const Ending& own = conversation.endings[side];
  const Ending& peer = conversation.endings[1 - side];
  if (cause == errc::aborted) return own.dropped || own.left_early;
  if (link.faulted() || conversation.adversary || peer.vanished) return true;
  return peer.closed && !peer.clean;
}

bool tls_explained(const Scene& scene, const Conversation& conversation, const Link& link, unsigned side,
                   errc cause) noexcept {
  if (!conversation.tls) return false;
  if (conversation.adversary) return true;
  if (cause != errc::tls_truncated) return false;  // no link changes a byte
  // Who leaves when both Close frames are exchanged has a clean end, also if it does not come to say so.
  if (conversation.endings[1 - side].dropped || scene.knobs.faults.sleep != 0) return true;
  if (scene.knobs.network.stall_timeout < std::chrono::seconds(100)) return true;
  return transport_explained(conversation, link, side, cause);
}

}  // namespace

bool explained(const Scene& scene, const Conversation& conversation, const Link& link,
               unsigned side) noexcept {
  const Ending& own = conversation.endings[side];
  const Ending& peer = conversation.endings[1 - side];
  const errc cause = own.cause;
  if (cause == errc::none) return own.clean;
  const bool trouble = link.faulted() || conversation.adversary || peer.vanished;
  if (cause == errc::discard_limit) return scene.knobs.limits_tight || conversation.adversary;
  switch (condition_for(cause)) {
    case condition::protocol_violation:
      return conversation.adversary || (cause == errc::utf8_invalid && peer.text_broken);
    case condition::limit_exceeded: return limit_explained(scene, conversation, side, cause);
    case condition::timed_out: return timeout_explained(scene, trouble, cause);
    case condition::transport_failed: return transport_explained(conversation, link, side, cause);
    case condition::handshake_failed:
      if (conversation.adversary) return true;
      if (cause == errc::rejected) return own.refused;
      return cause == errc::status_unexpected && (peer.closed || peer.vanished) && !peer.opened;
    case condition::misuse: return false;
    case condition::tls_failed: return tls_explained(scene, conversation, link, side, cause);
  }
  return false;
}

}  // namespace sansock::sim
