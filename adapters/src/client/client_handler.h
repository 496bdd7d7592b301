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
  // Reading pauses when the inbox holds this much, unless a whole message is waited for and there is
  // none yet: then only Limits::message_payload_max bounds it.
  std::size_t inbox_max = 0;
  bool message_wanted = false;

  bool opened = false;
  bool ended = false;
  bool deaf = false;  // close() was called: messages are dropped
  std::optional<std::uint64_t> pong_awaited;
  CloseStatus close_status;
  std::string close_reason;
  std::string subprotocol;
  Duration round_trip = Duration::zero();
  Client::Answer answer;

  bool full() const noexcept { return inbox.cost() >= inbox_max && (inbox.has_message() || !message_wanted); }
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
