// All that is known of a case after it ran: what reports are made of.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cases/case.h"
#include "verdict/verdict.h"

namespace conform {

enum class Role : std::uint8_t { client, server };  // of the kit

struct LogEntry {
  enum class Kind : std::uint8_t { sent, received, note };
  Kind kind = Kind::note;
  Duration at{};              // since the case began
  FrameHeader header;         // of frames
  std::string payload_start;  // unmasked
  std::string wire_start;     // as it was on the wire, header first
  std::size_t chop = 0;
  bool sync = false;
  std::string text;  // of notes
};

// The first entries, then only how many more there were.
class WireLog {
 public:
  static constexpr std::size_t entries_max = 200;
  static constexpr std::size_t octets_max = 256;  // that are kept of a frame

  void add(LogEntry entry) {
    if (entries_.size() < entries_max || entry.kind == LogEntry::Kind::note) {
      entries_.push_back(std::move(entry));
    } else {
      ++left_out_;
    }
  }
  const std::vector<LogEntry>& entries() const { return entries_; }
  std::uint64_t left_out() const { return left_out_; }

 private:
  std::vector<LogEntry> entries_;
  std::uint64_t left_out_ = 0;
};

struct CloseFrame {
  std::optional<unsigned> code;
  std::string reason;
};

// How many of each: frames by opcode, reads and writes by size.
struct Traffic {
  std::map<unsigned, std::uint64_t> frames;
  std::map<std::size_t, std::uint64_t> transfers;
};

struct CaseResult {
  std::string case_id;
  std::string agent;
  Role role = Role::client;
  std::string description;
  std::string expectation;
  Verdicts verdicts;
  std::string result;        // why this behavior
  std::string result_close;  // why this behaviorClose
  std::string started;       // UTC, ISO 8601
  Duration duration{};       // of the session, without the opening handshake
  std::chrono::steady_clock::time_point begun;
  std::chrono::steady_clock::time_point ended;
  bool handshake_done = false;
  std::string http_request;
  std::string http_response;
  std::vector<Expected> expected;
  CloseExpectation close_expected;
  std::vector<Event> received;  // large payloads cut
  std::optional<CloseFrame> close_sent;
  std::optional<CloseFrame> close_received;
  bool closed_by_kit = false;   // the first Close frame was the kit's
  bool failed_by_kit = false;   // the testee broke a rule
  bool dropped_by_kit = false;  // the kit ended TCP
  bool cut_off = false;         // the testee ended TCP without ending TLS
  bool was_clean = false;
  std::string not_clean_reason;
  WireLog log;
  Traffic sent;
  Traffic got;
};

}  // namespace conform
