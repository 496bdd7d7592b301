// Makes whole messages out of runs, for those who want each message in one piece.
//
// A message that came in one run is passed on as it is, without a copy. Others are collected in
// memory that grows with what has arrived (never with what a header announces), by doubling.
#pragma once

#include "sansock/event.h"
#include "sansock/memory.h"

namespace sansock {

class MessageAssembler {
 public:
  enum class Result : std::uint8_t {
    incomplete,  // more runs are needed
    message,     // message() is whole
    exhausted,   // no memory: the connection should be closed; the partial message is dropped
  };

  explicit MessageAssembler(MessageMemory& memory) noexcept : memory_(&memory) {}
  MessageAssembler(const MessageAssembler&) = delete;
  MessageAssembler& operator=(const MessageAssembler&) = delete;
  ~MessageAssembler();

  // Takes a data event. After Result::message, message() views the event's own bytes or this
  // assembler's memory: valid until the next add(), release() or poll(), whichever is first.
  Result add(const Event& event) noexcept;
  Bytes message() const noexcept { return message_; }

  // Whether a message is partly collected, and how much memory is held.
  bool collecting() const noexcept { return collecting_; }
  std::size_t capacity() const noexcept { return memory_held_.size(); }
  // Drops what is collected and gives the memory back; also after message() was used, to be idle.
  void release() noexcept;

 private:
  MessageMemory* memory_;
  Bytes memory_held_;
  std::size_t size_ = 0;
  Bytes message_;
  bool collecting_ = false;
};

}  // namespace sansock
