#include "rooms.h"

#include <algorithm>

namespace chat {
namespace {

// Code points: every byte of UTF-8 but the continuation bytes.
std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool has_control(std::string_view text, bool newline_allowed) {
  return std::any_of(text.begin(), text.end(), [newline_allowed](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && !(newline_allowed && c == '\n')) || byte == 0x7F;
  });
}

bool is_room_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

std::string check_room_name(std::string_view room) {
  if (room.empty()) return "The room needs a name.";
  if (room.size() > room_name_max) {
    return "A room's name has at most " + std::to_string(room_name_max) + " characters.";
  }
  if (!std::all_of(room.begin(), room.end(), is_room_character)) {
    return "A room's name consists of a-z, 0-9, '-' and '_'.";
  }
  return {};
}

std::string check_member_name(std::string_view name) {
  if (name.empty()) return "Choose a name first.";
  if (count_characters(name) > member_name_max) {
    return "A name has at most " + std::to_string(member_name_max) + " characters.";
  }
  if (has_control(name, false) || name.front() == ' ' || name.back() == ' ') {
    return "A name has no control characters and no spaces at its ends.";
  }
  return {};
}

std::string check_text(std::string_view text) {
  if (text.find_first_not_of(" \n") == std::string_view::npos) return "There is nothing to send.";
  const std::size_t characters = count_characters(text);
  if (characters > text_max) {
    return "A message has at most " + std::to_string(text_max) + " characters; this one has " +
           std::to_string(characters) + ".";
  }
  if (has_control(text, true)) return "A message has no control characters.";
  return {};
}

bool Room::has_member(std::string_view member) const noexcept {
  return std::find(members.begin(), members.end(), member) != members.end();
}

Room* Rooms::enter(const std::string& name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    rooms_.splice(rooms_.end(), rooms_, found->second);
    return &*found->second;
  }
  if (rooms_.size() >= rooms_max) {
    const auto empty =
        std::find_if(rooms_.begin(), rooms_.end(), [](const Room& room) { return room.members.empty(); });
    if (empty == rooms_.end()) return nullptr;
    by_name_.erase(empty->name);
    by_id_.erase(empty->id);
    rooms_.erase(empty);
  }
  Room room;
  room.name = name;
  room.id = ++id_last_;
  const auto added = rooms_.insert(rooms_.end(), std::move(room));
  by_name_.emplace(name, added);
  by_id_.emplace(added->id, added);
  return &*added;
}

Room* Rooms::find(std::uint64_t id) noexcept {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &*found->second;
}

bool Rooms::leave(Room& room, std::string_view member) {
  const auto found = std::find(room.members.begin(), room.members.end(), member);
  if (found == room.members.end()) return false;
  room.members.erase(found);
  ++room.serial;
  rooms_.splice(rooms_.end(), rooms_, by_id_.at(room.id));
  return true;
}

const Line& Rooms::say(Room& room, std::string_view member, std::string text, std::int64_t at_ms) {
  room.history.push_back({++room.serial, at_ms, std::string(member), std::move(text)});
  if (room.history.size() > history_lines_max) room.history.pop_front();
  return room.history.back();
}

std::size_t Rooms::members() const noexcept {
  std::size_t count = 0;
  for (const Room& room : rooms_) count += room.members.size();
  return count;
}

}  // namespace chat
