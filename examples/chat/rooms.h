// The rooms of the chat: who is in them and what was said last. Knows nothing of connections.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace chat {

struct Line {
  std::uint64_t serial = 0;  // of the room's events, growing
  std::int64_t at_ms = 0;    // since 1970, UTC
  std::string name;
  std::string text;
};

inline constexpr std::size_t room_name_max = 32;      // bytes
inline constexpr std::size_t member_name_max = 32;    // characters (code points)
inline constexpr std::size_t text_max = 1'000;        // characters
inline constexpr std::size_t history_lines_max = 20;  // a room
inline constexpr std::size_t members_max = 200;       // a room
inline constexpr std::size_t rooms_max = 1'000;

// Why a name, a room or a text is not acceptable, as a sentence for its sender; empty if it is.
// The texts are valid UTF-8 (the JSON parser has seen to that).
std::string check_room_name(std::string_view room);
std::string check_member_name(std::string_view name);
std::string check_text(std::string_view text);

struct Room {
  std::string name;
  std::uint64_t id = 0;      // never reused, unlike the name
  std::uint64_t serial = 0;  // of the newest event
  std::vector<std::string> members;
  std::deque<Line> history;

  bool has_member(std::string_view member) const noexcept;
};

// Not thread-safe: the caller holds a lock.
class Rooms {
 public:
  // The room of this name, made if there is none. The history of a room outlives its members; when
  // there are `rooms_max`, the one that has been empty longest is forgotten. nullptr: all have members.
  Room* enter(const std::string& name);
  Room* find(std::uint64_t id) noexcept;
  // Takes the member out; false if it was not in.
  bool leave(Room& room, std::string_view member);
  // Adds a line to the room's history, which forgets its oldest beyond `history_lines_max`.
  const Line& say(Room& room, std::string_view member, std::string text, std::int64_t at_ms);

  std::size_t size() const noexcept { return rooms_.size(); }
  std::size_t members() const noexcept;

 private:
  std::list<Room> rooms_;  // most recently used last
  std::unordered_map<std::string, std::list<Room>::iterator> by_name_;
  std::unordered_map<std::uint64_t, std::list<Room>::iterator> by_id_;
  std::uint64_t id_last_ = 0;
};

}  // namespace chat
