// Its checks would be instantiated here, instead of called in the library.
#undef _GLIBCXX_ASSERTIONS

#include "error_message.h"

namespace sansock::detail {

std::string error_message(const char* text, std::size_t size) {
  std::string message;
  message.assign(text, size);  // unlike the constructor, this is one call of the library
  return message;
}

}  // namespace sansock::detail
