// What is known about one connection from outside: what each side was told and how it fared.
#pragma once

#include <array>
#include <string>

#include "ledger.h"
#include "sansock/error.h"

namespace sansock::sim {

// How one side fared.
struct Ending {
  bool begun = false;        // there is an endpoint, or was one
  bool opened = false;       // Event::open
  bool refused = false;      // server: the application answered with something else than 101
  bool asked_close = false;  // the application called close(), before the peer's Close was seen
  bool left_early = false;   // it did so before the connection was open
  bool dropped = false;      // the application ended it without a closing handshake
  bool vanished = false;     // the process is gone
  bool overloaded = false;   // the application gave up because of the memory for messages
  bool text_broken = false;  // it has sent what is no UTF-8
  bool peer_close = false;   // Event::peer_close
  bool closed = false;       // Event::closed
  bool clean = false;
  errc cause = errc::none;
  CloseCode sent = CloseCode::none;
  CloseCode received = CloseCode::none;
  Instant restarted_at = never;  // when it was opened, or a message has ended
  std::uint64_t consumed = 0;    // bytes of its output that its transport took
  // With TLS: ciphertext that its transport took, and that was read from it; where close_notify ends in
  // the former, 0 if there is none.
  std::uint64_t ciphertext_written = 0;
  std::uint64_t ciphertext_read = 0;
  std::uint64_t notify_end = 0;
  std::string reason;  // that it gave to close()
};

struct Conversation {
  std::array<Ledger, 2> ledgers;  // by the side that sends
  std::array<Ending, 2> endings;
  bool adversary = false;  // one side is one
  bool tls = false;        // the sides speak TLS; an adversary never does

  // Whether this side has read all of the other's close_notify.
  bool notified(unsigned side) const noexcept {
    const std::uint64_t end = endings[1 - side].notify_end;
    return end != 0 && endings[side].ciphertext_read >= end;
  }
};

}  // namespace sansock::sim
