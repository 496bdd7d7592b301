// A bug that is planted: seven bytes have to be guessed, one comparison at a time. A fuzzer that does
// not find it within seconds would not find others; tests and ./dev see to it that it does.
#include "check.h"
#include "input.h"

namespace {

void compare(const sansock::fuzz::Data& bytes) {
  if (bytes.size() < 8 || bytes[0] != 0x81 || bytes[1] != 0xFE) return;
  if (bytes[2] != 'b' || bytes[3] != 'u' || bytes[4] != 'g') return;
  if ((bytes[5] << 8 | bytes[6]) != 1002) return;
  FUZZ_CHECK(bytes[7] == 0, "the planted bug was found");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sansock::fuzz::Input input(data, size);
  compare(input.rest());
  return 0;
}
