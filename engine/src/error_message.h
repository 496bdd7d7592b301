// std::error_category::message() has to make a std::string.
//
// C++20 instantiates std::string inside whoever uses it, operator new and throws included; up to
// C++17 its members are called in the standard library. So this one function is a file of its own,
// compiled as C++17 (engine/meson.build), and the engine's own code stays free of allocation.
#pragma once

#include <string>

namespace sansock::detail {

std::string error_message(const char* text, std::size_t size);

}  // namespace sansock::detail
