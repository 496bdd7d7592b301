#include "isal_compressor.h"

#include <isa-l/igzip_lib.h>

#include <cstring>

namespace sansock {

struct IsalCompressor::State {
  isal_zstream stream;
  std::uint8_t level_buffer[ISAL_DEF_LVL3_DEFAULT];
  std::byte history[ISAL_DEF_HIST_SIZE];
};

IsalCompressor* IsalCompressor::open(DeflateMemory& memory) noexcept {
  std::byte* const block = memory.acquire(sizeof(State), alignof(State));
  if (block == nullptr) return nullptr;
  // Not set to zero: ISA-L sets what it reads, which is much less.
  auto* const compressor = memory.make<IsalCompressor>(*new (block) State);
  if (compressor == nullptr) memory.release(block, sizeof(State));
  return compressor;
}

void IsalCompressor::close(DeflateMemory& memory, IsalCompressor* compressor) noexcept {
  if (compressor == nullptr) return;
  memory.release(reinterpret_cast<std::byte*>(&compressor->state_), sizeof(State));
  memory.destroy(compressor);
}

std::size_t IsalCompressor::run(const Task& task, Bytes output) noexcept {
  isal_zstream& stream = state_.stream;
  isal_deflate_init(&stream);
  stream.level = task.level;
  stream.level_buf = state_.level_buffer;
  stream.level_buf_size = sizeof state_.level_buffer;
  stream.hist_bits = task.window_bits;
  stream.flush = SYNC_FLUSH;
  const auto [older, newer] = task.history->segments();
  ConstBytes history = older;
  if (!newer.empty()) {
    std::memcpy(state_.history, older.data(), older.size());
    std::memcpy(state_.history + older.size(), newer.data(), newer.size());
    history = ConstBytes(state_.history, older.size() + newer.size());
  }
  // ISA-L's pointers to input are not const.
  const auto input_of = [](ConstBytes bytes) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(bytes.data()));
  };
  if (!history.empty() && isal_deflate_set_dict(&stream, input_of(history),
                                                static_cast<std::uint32_t>(history.size())) != COMP_OK)
    return 0;
  stream.next_in = input_of(task.text);
  stream.avail_in = static_cast<std::uint32_t>(task.text.size());
  stream.next_out = reinterpret_cast<std::uint8_t*>(output.data());
  stream.avail_out = static_cast<std::uint32_t>(output.size());
  // What does not fit is still in it when the output is full.
  if (isal_deflate(&stream) != COMP_OK || stream.avail_in != 0 || stream.avail_out == 0) return 0;
  return output.size() - stream.avail_out;
}

}  // namespace sansock
