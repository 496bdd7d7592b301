// A second opinion on DEFLATE data (RFC 1951, RFC 7692 section 7.2.2): bit by bit, on vectors. It shares no
// code with any library, and also says how far back the data refers.
#pragma once

#include "frames.h"

namespace sansock::testing {

enum class Verdict { complete, truncated, invalid };

struct SlowInflated {
  Data text;  // up to the fault, if there is one
  Verdict verdict = Verdict::complete;
  std::size_t distance_max = 0;
};

// `payload`: of a whole message. `history`: all that it may refer to.
SlowInflated slow_inflate(const Data& history, const Data& payload);

}  // namespace sansock::testing
