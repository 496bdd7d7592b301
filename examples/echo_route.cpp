#include "echo_route.h"

namespace examples {
namespace {

void echo(sansock::Peer& peer, const sansock::Run& run) {
  if (!run.end && run.bytes.empty()) return;  // an empty part in the middle has nothing to say
  const bool whole = run.begin && run.end;
  const std::error_code error =
      whole ? peer.send(run.type, run.bytes) : peer.send_part(run.type, run.bytes, run.end);
  if (!error) return;
  // Misuse can only be `already_closing` here: the peer has stopped listening, nothing is lost.
  // Out of memory for output: an echo that leaves something out would be a lie, so it ends instead.
  if (error == sansock::condition::limit_exceeded) {
    peer.close(sansock::CloseCode::try_again_later, "no memory for the echo");
  }
}

}  // namespace

sansock::Route echo_route(std::uint64_t message_size_max) {
  sansock::Route route;
  route.on_run = echo;
  route.limits.frame_payload_max = message_size_max;
  route.limits.message_payload_max = message_size_max;
  // An echo knows no secret and does nothing in anybody's name, so a page of any site may use it.
  route.origin_policy = sansock::OriginPolicy::any;
  // A peer that sends and does not read is not read from either, so its memory has a bound.
  route.output_policy = sansock::OutputPolicy::pause;
  return route;
}

}  // namespace examples
