// What the kit says of a case: two verdicts, one on the events and one on the closing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace conform {

enum class Verdict : std::uint8_t {
  ok,
  non_strict,     // tolerable, though not as early or as strict as it could be
  informational,  // the standard leaves it open
  unimplemented,  // an extension was not negotiated
  failed,
  unclean,           // of closings only: the closing handshake was not complete
  wrong_code,        // of closings only: a close code that does not fit
  failed_by_client,  // of closings only: the server did not drop TCP, the kit had to
};
inline constexpr int verdict_count = 8;

// As reports write it: "NON-STRICT", "WRONG CODE".
std::string_view name_of(Verdict verdict);

// The same as one word, as verdict files write it: "WRONG_CODE".
std::string word_of(Verdict verdict);

// From a name or a word. Empty: there is no such verdict.
std::optional<Verdict> verdict_from(std::string_view name);

bool is_failure(Verdict verdict);

// Both verdicts of a case.
struct Verdicts {
  Verdict behavior = Verdict::failed;
  Verdict behavior_close = Verdict::failed;

  bool failed() const { return is_failure(behavior) || is_failure(behavior_close); }
  friend bool operator==(const Verdicts&, const Verdicts&) = default;
};

}  // namespace conform
