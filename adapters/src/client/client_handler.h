// The handler in the Driver of a Client's connection, and what it leaves behind for the Client.
#pragma once

#include <optional>
#include <string>

#include "any_loop.h"
#include "client_inbox.h"
#include "sansock/client.h"
#include "sansock/heap_message_memory.h"

namespace sansock {

// All that a Client knows of its connection, while it is there and after.
struct ClientSession {
  explicit ClientSession(std::size_t memory_max) : memory(memory_max), inbox(memory) {}

  HeapMessageMemory memory;
  ClientInbox inbox;
  // What connect(), receive() and receive_run() wait for. They read no further than that, or else the
  // connection could already have failed over what comes behind a message that is still to be answered.
  enum class Wait : std::uint8_t { nothing, open, run, message };
  Wait wait = Wait::nothing;
  // All other calls read on, so that pings are answered, until the inbox holds this much.
  std::size_t inbox_max = 0;

  bool opened = false;
  bool ended = false;
  bool deaf = false;  // close() was called: messages are dropped
  std::optional<std::uint64_t> pong_awaited;
  CloseStatus close_status;
  std::string close_reason;
  std::string subprotocol;
  Duration round_trip = Duration::zero();
  Client::Answer answer;

  // Reading is to pause. A message that is waited for is bounded by Limits::message_payload_max alone.
  bool full() const noexcept {
    switch (wait) {
      case Wait::open: return opened;
      case Wait::run: return !inbox.empty();
      case Wait::message: return inbox.has_message();
      case Wait::nothing: break;
    }
    return inbox.cost() >= inbox_max;
  }
};

class ClientHandler {
 public:
  explicit ClientHandler(ClientSession& session) noexcept : session_(&session) {}
  Verdict on_event(Endpoint& endpoint, const Event& event);

 private:
  void keep_answer(const Endpoint& endpoint);
  Verdict on_data(Endpoint& endpoint, const Event& event);
  void on_pong(const Event& event) noexcept;
  void on_closed(const Endpoint& endpoint);

  ClientSession* session_;
};

using ClientLoop = AnyLoop<ClientHandler, ClientSession>;

}  // namespace sansock
