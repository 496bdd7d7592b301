// The distinct tokens of a list that may be spread over repeated headers.
#pragma once

#include <array>
#include <string_view>

#include "sansock/negotiate.h"

namespace sansock::detail {

class TokenSet {
 public:
  // Adds the elements of one header. false: one is no token, or not distinct, or one too many.
  bool add_list(std::string_view list) noexcept;
  bool add(std::string_view token) noexcept;
  std::size_t size() const noexcept { return size_; }

 private:
  // Distinctness is checked pair by pair, so the count is bounded to keep the work linear.
  std::array<std::string_view, subprotocols_max> tokens_;
  std::size_t size_ = 0;
};

}  // namespace sansock::detail
