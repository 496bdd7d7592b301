// Whole messages out of runs.
#include "sansock/assembler.h"

#include "bench.h"

namespace sansock::testing {
namespace {

using Result = MessageAssembler::Result;

class CountingMemory final : public MessageMemory {
 public:
  Bytes resize(Bytes old, std::size_t used, std::size_t wanted) noexcept override {
    ++calls;
    if (wanted > limit) return {};
    auto* const memory = static_cast<std::byte*>(std::malloc(wanted));
    if (used != 0) std::memcpy(memory, old.data(), used);
    copied += used;
    if (!old.empty()) std::free(old.data());
    held += wanted - old.size();
    peak = std::max(peak, held);
    return {memory, wanted};
  }
  void release(Bytes memory) noexcept override {
    held -= memory.size();
    std::free(memory.data());
  }

  std::size_t limit = static_cast<std::size_t>(-1);
  std::size_t calls = 0;
  std::size_t copied = 0;
  std::size_t held = 0;
  std::size_t peak = 0;
};

Result add(MessageAssembler& assembler, Data& run, bool begin, bool end) {
  return assembler.add(
      {.kind = EventKind::data, .begin = begin, .end = end, .bytes = std::as_writable_bytes(std::span(run))});
}

TEST(Assembler, OneRunIsPassedOnWithoutACopy) {
  CountingMemory memory;
  MessageAssembler assembler(memory);
  for (const std::size_t size : {0u, 1u, 100'000u}) {
    Data run = noise(size, 1);
    EXPECT_EQ(add(assembler, run, true, true), Result::message);
    EXPECT_EQ(assembler.message().size(), size);
    if (size != 0) {
      EXPECT_EQ(static_cast<void*>(assembler.message().data()), static_cast<void*>(run.data()));
    }
    EXPECT_FALSE(assembler.collecting());
  }
  EXPECT_EQ(memory.calls, 0u);
}

TEST(Assembler, EveryWayToCutAMessage) {
  const Data whole = noise(9, 1);
  for (unsigned cuts = 0; cuts < 256; ++cuts) {
    CountingMemory memory;
    {
      MessageAssembler assembler(memory);
      for (int repeat = 0; repeat < 3; ++repeat) {
        Data run;
        bool begin = true;
        for (std::size_t i = 0; i < whole.size(); ++i) {
          run.push_back(whole[i]);
          const bool end = i + 1 == whole.size();
          if (!end && (cuts >> i & 1) == 0) continue;
          EXPECT_EQ(add(assembler, run, begin, end), end ? Result::message : Result::incomplete);
          EXPECT_EQ(assembler.collecting(), !end);
          begin = false;
          if (!end) run.assign(run.size(), 0);  // the run's memory is gone by then
          if (!end) run.clear();
        }
        EXPECT_EQ(bytes_of(assembler.message()), whole);
      }
    }
    EXPECT_EQ(memory.held, 0u);
  }
}

TEST(Assembler, EmptyRuns) {
  CountingMemory memory;
  MessageAssembler assembler(memory);
  Data empty, x = bytes_of("x");
  EXPECT_EQ(add(assembler, x, true, false), Result::incomplete);
  EXPECT_EQ(add(assembler, empty, false, false), Result::incomplete);
  EXPECT_EQ(add(assembler, empty, false, true), Result::message);
  EXPECT_EQ(bytes_of(assembler.message()), x);
  EXPECT_EQ(add(assembler, empty, true, false), Result::incomplete);
  EXPECT_EQ(add(assembler, empty, false, true), Result::message);
  EXPECT_EQ(assembler.message().size(), 0u);
}

// Trap: O(n^2) reassembly.
TEST(Assembler, TrapCopyingIsLinear) {
  CountingMemory memory;
  MessageAssembler assembler(memory);
  Data byte = {7};
  const std::size_t size = 1'000'000;
  for (std::size_t i = 0; i < size; ++i) add(assembler, byte, i == 0, i + 1 == size);
  EXPECT_EQ(assembler.message().size(), size);
  EXPECT_LE(memory.copied, 2 * size);
  EXPECT_LE(memory.calls, 30u);
  EXPECT_LE(assembler.capacity(), 2 * size);
  assembler.release();
  EXPECT_EQ(memory.held, 0u);
  EXPECT_EQ(assembler.capacity(), 0u);
}

TEST(Assembler, MemoryThatRunsOutDropsTheMessage) {
  for (const std::size_t limit : {0u, 500u, 1024u, 3000u, 5000u}) {
    CountingMemory memory;
    memory.limit = limit;
    MessageAssembler assembler(memory);
    Data run = noise(100, 1);
    std::size_t added = 0;
    Result result = Result::incomplete;
    for (; result == Result::incomplete && added < 10'000; added += 100)
      result = add(assembler, run, added == 0, false);
    EXPECT_EQ(result, Result::exhausted);
    EXPECT_GT(added, limit) << "all that is allowed is used, though doubling would not fit";
    EXPECT_LE(added, limit + 100);
    EXPECT_EQ(memory.held, 0u);
    EXPECT_FALSE(assembler.collecting());
    EXPECT_EQ(add(assembler, run, true, true), Result::message) << "small messages go on";
  }
}

TEST(Assembler, BehindAConnection) {
  for (const Role role : both_roles) {
    CountingMemory memory;
    Bench bench(role);
    MessageAssembler assembler(memory);
    std::vector<Data> messages;
    bench.h.handler = [&](const Event& event) {
      if (event.kind != EventKind::data) return;
      if (assembler.add(event) == Result::message) messages.push_back(bytes_of(assembler.message()));
    };
    const Data big = noise(70'000, 1);
    const Data stream = bench.peer.binary(big) + bench.peer.text("one ", false) + bench.peer.ping() +
                        bench.peer.continuation("message") + bench.peer.text("");
    for (const std::size_t step : {1u, 1000u, 100'000u}) {
      messages.clear();
      std::vector<std::size_t> cuts;
      for (std::size_t cut = step; cut < stream.size(); cut += step) cuts.push_back(cut);
      bench.h.feed_cut(stream, cuts);
      EXPECT_EQ(messages, (std::vector<Data>{big, bytes_of("one message"), {}}));
    }
  }
}

}  // namespace
}  // namespace sansock::testing
