// Octets as text.
#pragma once

#include <string>
#include <string_view>

namespace conform {

// "c3 a4": two digits each, a blank between.
std::string to_hex(std::string_view octets);
// "C3A4", blanks anywhere between octets. Other characters are the caller's mistake.
std::string from_hex(std::string_view digits);
// Printable ASCII as it is, the rest as \xHH; what is longer than `max` octets is cut and says so.
std::string printable(std::string_view octets, std::size_t max = 60);

}  // namespace conform
