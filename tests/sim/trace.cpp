#include "trace.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>

namespace sansock::sim {

void Trace::add(Instant now, unsigned port, const char* what, std::uint64_t a, std::uint64_t b) noexcept {
  mix(static_cast<std::uint64_t>(now.time_since_epoch().count()));
  mix(port);
  for (const char* letter = what; *letter != 0; ++letter) mix(static_cast<unsigned char>(*letter));
  mix(a);
  mix(b);
  Line& line = newest_[count_++ % newest_.size()];
  line = {now, what, a, b, port};
  if (stream_ != nullptr) std::fprintf(stream_, "%s\n", format(line).c_str());
}

void Trace::bytes(ConstBytes bytes) noexcept {
  mix(bytes.size());
  while (bytes.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    mix(word);
    bytes = bytes.subspan(8);
  }
  for (const std::byte byte : bytes) mix(static_cast<std::uint64_t>(byte));
}

std::string Trace::tail() const {
  std::string text;
  const std::uint64_t first = count_ > newest_.size() ? count_ - newest_.size() : 0;
  for (std::uint64_t i = first; i < count_; ++i) text += format(newest_[i % newest_.size()]) + "\n";
  return text;
}

std::string Trace::format(const Line& line) {
  const double seconds = std::chrono::duration<double>(line.at - start).count();
  char name[32] = "";
  if (line.port != no_port) {
    std::snprintf(name, sizeof name, "link %u %s", line.port / 2, line.port % 2 == 0 ? "server" : "client");
  }
  char text[160];
  std::snprintf(text, sizeof text, "%13.9f  %-14s  %s %" PRIu64 " %" PRIu64, seconds, name, line.what, line.a,
                line.b);
  return text;
}

}  // namespace sansock::sim
