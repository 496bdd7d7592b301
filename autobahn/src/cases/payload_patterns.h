// The payloads that cases repeat.
#pragma once

#include <string>
#include <string_view>

namespace conform {

// `pattern` over and over, cut to `size`.
inline std::string repeated(std::string_view pattern, std::size_t size) {
  std::string payload;
  payload.reserve(size + pattern.size());
  while (payload.size() < size) payload.append(pattern);
  payload.resize(size);
  return payload;
}

inline constexpr std::string_view text_pattern = "BAsd7&jh23";
inline constexpr std::string_view binary_pattern{"\x00\xFE\x23\xFA\xF0", 5};

}  // namespace conform
