// The bytes that benchmarks work on: the same ones for the engine, for memcpy and for every peer.
//
// Unmasking happens in place, so a buffer that is used again holds masked and plain bytes by turns. The
// key is chosen so that both are good: ASCII stays ASCII, the lead bytes in mixed_text() stay lead bytes
// of the same length, and continuation bytes stay continuation bytes. So nothing is copied or restored
// between two rounds, and only the work itself is measured.
//
// Written in C++17, because the headers of one peer are not valid C++20.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <vector>

namespace sansock::bench {

inline constexpr std::uint8_t key_bytes[4] = {1, 1, 1, 1};

enum class Content { binary, ascii, mixed };

inline std::vector<std::uint8_t> random_bytes(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  std::uint64_t state = 0x5EED;
  for (std::uint8_t& byte : bytes) {  // splitmix64
    std::uint64_t z = (state += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    byte = static_cast<std::uint8_t>(z >> 56);
  }
  return bytes;
}

// Characters of one to four bytes, cut to the size at the end of a character and filled up with dots.
inline std::vector<std::uint8_t> text_of(const std::vector<std::string>& characters, std::size_t size) {
  const std::vector<std::uint8_t> choice = random_bytes(size);
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; bytes.size() < size; ++i) {
    const std::string& one = characters[choice[i] % characters.size()];
    if (bytes.size() + one.size() > size) break;
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  bytes.resize(size, '.');
  return bytes;
}

inline std::vector<std::uint8_t> content_of(Content content, std::size_t size) {
  switch (content) {
    case Content::binary: return random_bytes(size);
    case Content::ascii: return text_of({"a", "e", "n", "r", "s", "t", " ", "{", "\"", "7"}, size);
    case Content::mixed:
      return text_of({"a", "e", " ", "\xD0\xB6", "\xD1\x8F", "\xD0\xBB", "\xE3\x81\x82", "\xF0\x9F\x98\x80"},
                     size);
  }
  return {};
}

// Memory at a chosen offset from a cache line.
class Buffer {
 public:
  Buffer(const std::vector<std::uint8_t>& bytes, std::size_t offset)
      : size_(bytes.size()),
        memory_(new (line) std::uint8_t[bytes.size() + offset + padding]),
        data_(memory_ + offset) {
    std::memcpy(data_, bytes.data(), bytes.size());
  }
  Buffer(std::size_t size, std::size_t offset) : Buffer(std::vector<std::uint8_t>(size), offset) {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { operator delete[](memory_, line); }

  std::uint8_t* data() { return data_; }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::align_val_t line{64};
  static constexpr std::size_t padding = 16;  // one peer writes whole words
  std::size_t size_;
  std::uint8_t* memory_;
  std::uint8_t* data_;
};

// Appends one whole frame of RFC 6455, final, masked with key_bytes if `masked`.
inline void append_frame(std::vector<std::uint8_t>& out, bool text, const std::vector<std::uint8_t>& payload,
                         bool masked) {
  const std::size_t size = payload.size();
  const auto mask_bit = static_cast<std::uint8_t>(masked ? 0x80 : 0);
  out.push_back(text ? 0x81 : 0x82);
  const int length_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  const std::uint8_t form = length_bytes == 0   ? static_cast<std::uint8_t>(size)
                            : length_bytes == 2 ? 126
                                                : 127;
  out.push_back(static_cast<std::uint8_t>(form | mask_bit));
  for (int i = length_bytes - 1; i >= 0; --i)
    out.push_back(static_cast<std::uint8_t>(std::uint64_t{size} >> (8 * i)));
  if (masked) out.insert(out.end(), key_bytes, key_bytes + 4);
  for (std::size_t i = 0; i < size; ++i) {
    out.push_back(static_cast<std::uint8_t>(masked ? payload[i] ^ key_bytes[i % 4] : payload[i]));
  }
}

inline std::vector<std::uint8_t> frame_stream(Content content, std::size_t size, std::size_t count,
                                              bool masked) {
  const std::vector<std::uint8_t> payload = content_of(content, size);
  std::vector<std::uint8_t> stream;
  for (std::size_t i = 0; i < count; ++i) append_frame(stream, content != Content::binary, payload, masked);
  return stream;
}

// So many frames are fed at once: about what one read from a socket brings.
inline std::size_t frames_at_once(std::size_t size) { return size >= 16384 ? 1 : 16384 / (size + 8); }

}  // namespace sansock::bench
