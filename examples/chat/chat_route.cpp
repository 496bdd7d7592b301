#include "chat_route.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "token_bucket.h"

namespace chat {

using nlohmann::json;
using sansock::Peer;

// Touched on the peer's thread only.
struct ChatService::Session {
  std::uint64_t room_id = 0;  // 0: in none
  std::uint64_t joined_serial = 0;
  std::string room;
  std::string name;
  TokenBucket messages{5, 15};
  unsigned refused = 0;  // for sending too fast, in a row
};

namespace {

constexpr unsigned refused_max = 50;
// `text_max` characters, each escaped as two surrogates ("\ud83d\ude00"), and what is around them.
constexpr std::uint64_t message_size_max = 16u << 10;
static_assert(text_max * 12 + 1'000 < message_size_max);

// Text from the browser was checked to be UTF-8; `replace` keeps even a slip from throwing.
std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

void reply(Peer& peer, const json& value) {
  // Fails only when the peer is on its way out: nobody is there to be told.
  static_cast<void>(peer.send(dump(value)));
}

void reply_error(Peer& peer, const char* code, const std::string& message) {
  reply(peer, {{"type", "error"}, {"code", code}, {"message", message}});
}

// The member `key` if it is a string, else empty: the checks refuse empty ones with a sentence.
std::string string_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

json to_json(const Line& line) {
  return {{"serial", line.serial}, {"at", line.at_ms}, {"name", line.name}, {"text", line.text}};
}

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

ChatService::ChatService(sansock::Server& server) : server_(&server), started_ms_(now_ms()) {}

sansock::Route ChatService::route(const std::string& path) {
  path_ = path;
  sansock::Route route;
  route.on_open = [](Peer& peer) { peer.data().emplace<Session>(); };
  route.on_message = [this](Peer& peer, sansock::Message message) {
    if (message.type == sansock::MessageType::text) {
      receive(peer, message.text());
    } else {
      peer.close(sansock::CloseCode::unsupported_data, "the chat speaks JSON in text messages");
    }
  };
  route.on_close = [this](Peer& peer, const sansock::CloseStatus&, std::string_view) {
    if (Session* session = peer.data_as<Session>()) leave(*session);
  };
  route.limits.frame_payload_max = message_size_max;
  route.limits.message_payload_max = message_size_max;
  route.limits.output_bytes_max = 1u << 20;
  route.timeouts.ping_interval = std::chrono::seconds(20);  // a name is free soon after its owner is gone
  route.timeouts.pong = std::chrono::seconds(15);
  // Who does not read would miss lines without knowing it. Better to be cut off, and to come back.
  route.output_policy = sansock::OutputPolicy::drop;
  route.output_high_watermark = 256u << 10;
  return route;
}

void ChatService::receive(Peer& peer, std::string_view text) {
  Session& session = *peer.data_as<Session>();
  if (!session.messages.take(TokenBucket::Clock::now())) {
    if (++session.refused > refused_max) {
      peer.close(sansock::CloseCode::policy_violation, "too many messages");
    } else {
      reply_error(peer, "too_fast", "That was too fast: wait a moment and send it again.");
    }
    return;
  }
  session.refused = 0;
  const json message = json::parse(text.begin(), text.end(), nullptr, false);
  if (!message.is_object()) return reply_error(peer, "not_json", "A message is one JSON object.");
  const std::string type = string_at(message, "type");
  if (type == "join") {
    join(peer, session, string_at(message, "room"), string_at(message, "name"));
  } else if (type == "say") {
    say(peer, session, string_at(message, "text"));
  } else if (type == "leave") {
    if (session.room_id == 0) return reply_error(peer, "not_in_room", "You are in no room.");
    leave(session);
    reply(peer, {{"type", "left"}, {"room", session.room}});
  } else if (type == "ping") {
    const auto id = message.find("id");
    const bool number = id != message.end() && id->is_number();
    reply(peer, {{"type", "pong"}, {"id", number ? *id : json()}});
  } else {
    reply_error(peer, "type_unknown", "\"type\" is one of join, say, leave, ping.");
  }
}

void ChatService::join(Peer& peer, Session& session, std::string room_name, std::string name) {
  if (const std::string problem = check_room_name(room_name); !problem.empty()) {
    return reply_error(peer, "room_invalid", problem);
  }
  if (const std::string problem = check_member_name(name); !problem.empty()) {
    return reply_error(peer, "name_invalid", problem);
  }
  if (session.room_id != 0 && session.room == room_name && session.name == name) {
    return reply_error(peer, "already_joined", "You are in this room already.");
  }
  const std::lock_guard lock(mutex_);
  Room* room = rooms_.enter(room_name);
  if (room == nullptr) return reply_error(peer, "rooms_full", "There are too many rooms: join another one.");
  if (room->has_member(name)) {
    return reply_error(peer, "name_taken", "Somebody in this room has that name: choose another one.");
  }
  if (room->members.size() >= members_max) {
    return reply_error(peer, "room_full", "This room is full: join another one.");
  }
  if (Room* old = rooms_.find(session.room_id)) {
    if (rooms_.leave(*old, session.name)) {
      tell(*old, old->serial, dump({{"type", "member_left"}, {"name", session.name}}));
    }
  }
  room->members.push_back(name);
  session.room_id = room->id;
  session.joined_serial = ++room->serial;
  session.room = std::move(room_name);
  session.name = name;
  json joined = {{"type", "joined"}, {"room", room->name}, {"name", name}, {"members", room->members}};
  // Serials count within one life of a room: another epoch is another count.
  joined["epoch"] = std::to_string(started_ms_) + '-' + std::to_string(room->id);
  json& history = joined["history"] = json::array();
  for (const Line& line : room->history) history.push_back(to_json(line));
  reply(peer, joined);
  tell(*room, room->serial, dump({{"type", "member_joined"}, {"name", name}}));
}

void ChatService::say(Peer& peer, Session& session, std::string text) {
  if (session.room_id == 0) return reply_error(peer, "not_in_room", "Join a room first.");
  if (const std::string problem = check_text(text); !problem.empty()) {
    return reply_error(peer, "text_invalid", problem);
  }
  const std::lock_guard lock(mutex_);
  Room* room = rooms_.find(session.room_id);  // there is one: a room with members is not forgotten
  const Line& line = rooms_.say(*room, session.name, std::move(text), now_ms());
  json message = to_json(line);
  message["type"] = "line";
  tell(*room, line.serial, dump(message));
}

void ChatService::leave(Session& session) {
  const std::lock_guard lock(mutex_);
  Room* room = rooms_.find(session.room_id);
  session.room_id = 0;
  if (room == nullptr || !rooms_.leave(*room, session.name)) return;
  tell(*room, room->serial, dump({{"type", "member_left"}, {"name", session.name}}));
}

void ChatService::tell(const Room& room, std::uint64_t serial, const std::string& text) {
  // The frame is encoded once. The filter runs later and on each peer's own thread, so it compares
  // with the session as it is then: who has joined in between has this event in the history.
  server_->broadcast(sansock::MessageType::text, sansock::as_bytes(text),
                     {.route = path_, .filter = [id = room.id, serial](Peer& peer) {
                        const Session* session = peer.data_as<Session>();
                        return session != nullptr && session->room_id == id &&
                               session->joined_serial < serial;
                      }});
}

ChatService::Numbers ChatService::numbers() const {
  const std::lock_guard lock(mutex_);
  return {rooms_.size(), rooms_.members()};
}

}  // namespace chat
