// Drives a Connection or an Endpoint as an adapter would, in virtual time, and holds it to the rules
// of connection.h at every step. A broken rule fails the test and stands in the transcript.
//
// Input lies between guard pages and is overwritten as soon as poll() gave `none`; data events are
// overwritten as soon as they were recorded (they belong to the driver).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>

#include "guard_buffer.h"
#include "sansock/connection.h"
#include "sansock/endpoint.h"
#include "transcript.h"

namespace sansock::testing {

inline constexpr Instant harness_start = Instant{} + std::chrono::seconds(1000);

// Large enough for most reads; larger ones use the heap.
GuardBuffer& shared_guard_buffer();

// Holds what events may come after which.
class EventRules {
 public:
  // Empty if the event is allowed.
  std::string check(const Event& event, ReadyState state, TransportAction action);
  bool closed() const { return closed_; }

 private:
  bool closed_ = false;
  bool peer_closed_ = false;
  bool in_message_ = false;
  MessageType type_ = MessageType::binary;
};

template <class Subject>
class Harness {
 public:
  explicit Harness(Subject& driven) : subject(driven) {}

  Subject& subject;
  Transcript events;
  Data output;           // all that was consumed so far
  bool draining = true;  // take all output after every input, as a peer that reads
  std::function<void(const Event&)> handler;
  Instant now = harness_start;

  // --- inputs -----------------------------------------------------------------------------------
  // One read of the transport. While the subject is paused it is kept for resume().
  void feed(const Data& data) {
    if (data.empty()) return;
    if (subject.input_paused()) {
      stash_ = std::move(stash_) + data;
      return;
    }
    feed_now(data);
  }
  void feed_bytewise(const Data& data) {
    for (const std::uint8_t byte : data) feed({byte});
  }
  // Several reads, which end before the given positions.
  void feed_cut(const Data& data, std::vector<std::size_t> cuts) {
    std::sort(cuts.begin(), cuts.end());
    cuts.push_back(data.size());
    std::size_t from = 0;
    for (std::size_t to : cuts) {
      to = std::min(to, data.size());
      if (to <= from) continue;
      feed(Data(data.begin() + static_cast<std::ptrdiff_t>(from),
                data.begin() + static_cast<std::ptrdiff_t>(to)));
      from = to;
    }
  }
  void resume() {
    subject.pause_input(false);
    const Data data = std::move(stash_);
    stash_.clear();
    if (data.empty()) {
      settle();
    } else {
      feed_now(data);
    }
  }
  void eof() {
    subject.feed_eof(now);
    settle();
  }
  void abort(errc cause) {
    subject.abort(cause);
    settle();
  }
  // Lets time pass, with a call at every deadline on the way.
  void advance(Duration duration) {
    const Instant target = now + duration;
    for (int calls = 0; subject.deadline() <= target; ++calls) {
      if (calls == 10'000) return violation("deadline() does not move on");
      now = std::max(now, subject.deadline());
      subject.handle_timeout(now);
      settle();
    }
    now = target;
  }

  // --- polls ------------------------------------------------------------------------------------
  // After commands and inputs: all events, then all output if draining.
  void settle() {
    pump();
    if (draining) drain();
  }
  void drain() {
    while (subject.output_size() != 0 && drain_some(static_cast<std::size_t>(-1)) != 0) {
    }
    if (subject.output_size() != 0) violation("gather() gives nothing while output_size() is not 0");
  }
  // The transport takes at most `size` bytes of what gather() gives in one call.
  std::size_t drain_some(std::size_t size) {
    const Data offered = gather();
    const std::size_t taken = std::min(size, offered.size());
    output.insert(output.end(), offered.begin(), offered.begin() + static_cast<std::ptrdiff_t>(taken));
    const Instant deadline = subject.deadline();
    if (subject.consume_whole(taken)) {
      if (subject.deadline() != deadline) violation("another deadline after consume_whole()");
      if (subject.output_size() != 0) violation("output after consume_whole()");
      if (subject.poll()) violation("an event after consume_whole()");
    } else {
      subject.consume(taken, now);
    }
    pump();
    return taken;
  }
  Data gather() {
    const Data offered = gather_slices(slice_count_);
    if (offered != gather_slices(slice_count_)) violation("gather() gives other bytes the second time");
    if (offered.size() > subject.output_size()) violation("gather() gives more than output_size()");
    slice_count_ = slice_count_ % 7 + 1;
    return offered;
  }
  void pump() {
    for (int polls = 0;; ++polls) {
      if (polls == 50'000'000) return violation("poll() does not come to an end");
      const Event event = subject.poll();
      if (!event) break;
      const std::string broken = rules_.check(event, subject.state(), subject.transport_action());
      if (!broken.empty()) violation(broken);
      events.add(event);
      if (handler) handler(event);
      if (event.kind == EventKind::data) std::fill(event.bytes.begin(), event.bytes.end(), std::byte{0xEE});
    }
    if (subject.transport_action() == TransportAction::close && !rules_.closed() && !subject.output_lent()) {
      violation("the transport is to be closed, but there was no closed event");
    }
    const Bytes rest = subject.detach_input();
    if (!rest.empty() && !subject.input_paused()) violation("input was left over");
    stash_ = bytes_of(rest) + stash_;
  }

  // --- what was seen ----------------------------------------------------------------------------
  bool closed() const { return rules_.closed(); }
  std::vector<Frame> sent() const { return decode(output).frames; }
  std::vector<std::string> sent_lines() const {
    std::vector<std::string> lines;
    for (const Frame& frame : sent()) lines.push_back(describe(frame));
    const Data rest = decode(output).rest;
    if (!rest.empty()) lines.push_back("cut frame " + to_hex(rest));
    return lines;
  }
  // Events, then frames sent.
  std::string transcript() const {
    std::string text = events.text();
    for (const std::string& line : sent_lines()) text += "> " + line + "\n";
    return text;
  }
  const Data& stash() const { return stash_; }

  void violation(const std::string& text) {
    events.line("RULE BROKEN: " + text);
    ADD_FAILURE() << text << "\n" << events.text();
  }

 private:
  void feed_now(const Data& data) {
    GuardBuffer& guard = shared_guard_buffer();
    Data heap;
    Bytes input;
    if (data.size() <= guard.size()) {
      input = at_the_end_ ? guard.put_last(data) : guard.put_first(data);
      at_the_end_ = !at_the_end_;
    } else {
      heap = data;
      input = std::as_writable_bytes(std::span(heap));
    }
    subject.feed(input, now);
    pump();
    std::fill(input.begin(), input.end(), std::byte{0xDD});
    if (draining) drain();
  }
  Data gather_slices(std::size_t count) {
    IoSlice slices[8];
    Data bytes;
    const std::size_t given = subject.gather({slices, count});
    for (std::size_t i = 0; i < given; ++i) {
      const auto* const base = static_cast<const std::uint8_t*>(slices[i].base);
      bytes.insert(bytes.end(), base, base + slices[i].size);
    }
    return bytes;
  }

  EventRules rules_;
  Data stash_;
  bool at_the_end_ = true;
  std::size_t slice_count_ = 1;
};

using ConnectionHarness = Harness<Connection>;
using EndpointHarness = Harness<Endpoint>;

}  // namespace sansock::testing
