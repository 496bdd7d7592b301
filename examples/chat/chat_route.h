// The chat's WebSocket: JSON text messages, one object each, told apart by "type".
//
//   from the browser                          to the browser
//   {"type":"join","room":R,"name":N}         {"type":"joined","room","name","epoch","members":[…],
//                                              "history":[line…]}
//   {"type":"say","text":T}                   {"type":"line","serial","at","name","text"}, to all of the room
//   {"type":"leave"}                          {"type":"left","room"}
//   {"type":"ping","id":I}                    {"type":"pong","id":I}
//                                             {"type":"member_joined","name"}, {"type":"member_left","name"}
//                                             {"type":"error","code","message"}
//
// Joining while in a room leaves that room. "at" is in milliseconds since 1970. An error is for its
// sender only and changes nothing; who goes on sending too fast is closed with 1008.
#pragma once

#include <mutex>
#include <string>

#include "rooms.h"
#include "sansock/server.h"

namespace chat {

class ChatService {
 public:
  explicit ChatService(sansock::Server& server);

  // The route to be served at `path`. This object must outlive the server's run().
  sansock::Route route(const std::string& path);

  // For the health check; from any thread.
  struct Numbers {
    std::size_t rooms = 0;
    std::size_t members = 0;
  };
  Numbers numbers() const;

 private:
  struct Session;  // what a peer's data() holds

  void receive(sansock::Peer& peer, std::string_view text);
  void join(sansock::Peer& peer, Session& session, std::string room, std::string name);
  void say(sansock::Peer& peer, Session& session, std::string text);
  void leave(Session& session);
  // Sends to all of the room who joined before the event `serial`. The lock is held, so that all
  // members see the events of a room in the same order.
  void tell(const Room& room, std::uint64_t serial, const std::string& json);

  sansock::Server* server_;
  std::string path_;
  std::int64_t started_ms_;
  mutable std::mutex mutex_;  // guards rooms_
  Rooms rooms_;
};

}  // namespace chat
