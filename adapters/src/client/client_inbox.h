// What has arrived for a Client and was not taken yet: messages, and the beginning of one.
//
// Payloads lie behind one another in one piece of memory, so that a message is contiguous however
// many runs it came in:
//
//   [ taken ][ message ][ message ][ beginning of one ]( free )
//   0        head_                                     head_ + size_
#pragma once

#include <deque>

#include "sansock/event.h"
#include "sansock/memory.h"
#include "sansock/server.h"

namespace sansock {

class ClientInbox {
 public:
  explicit ClientInbox(MessageMemory& memory) noexcept : memory_(&memory) {}
  ClientInbox(const ClientInbox&) = delete;
  ClientInbox& operator=(const ClientInbox&) = delete;
  ~ClientInbox() { clear(); }

  // Takes a data event. false: no memory; nothing changed.
  bool append(const Event& event);
  // A measure of what is held: payload bytes, and something for each message.
  std::size_t cost() const noexcept { return size_ + entries_.size() * sizeof(Entry); }

  bool empty() const noexcept { return entries_.empty(); }
  bool has_message() const noexcept { return !entries_.empty() && entries_.front().end; }
  // Takes the oldest message, or what is there of it, out. The views are valid until release_taken(),
  // which must come before the next append().
  Message take_message();
  Run take_run();
  bool has_taken() const noexcept { return taken_ != 0; }
  void release_taken() noexcept;
  void clear() noexcept;

 private:
  struct Entry {
    std::size_t size;
    MessageType type;
    bool begin;
    bool end;
  };

  bool make_room(std::size_t size);
  Bytes take_front();

  MessageMemory* memory_;
  Bytes held_;
  std::size_t head_ = 0;
  std::size_t taken_ = 0;  // bytes from head_ on that a view of the user's covers
  std::size_t size_ = 0;   // bytes from head_ + taken_ on
  std::deque<Entry> entries_;
};

}  // namespace sansock
