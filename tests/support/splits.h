// Feeds a text in every way in which a transport may cut it.
#pragma once

#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "sansock/types.h"

namespace sansock::testing {

using Pieces = std::vector<std::string_view>;

// Calls visit(Pieces) with the text whole, byte by byte, and in two at every place.
template <class Visit>
void for_each_split(std::string_view text, Visit&& visit) {
  visit(Pieces{text});
  Pieces bytes;
  for (std::size_t i = 0; i < text.size(); ++i) bytes.push_back(text.substr(i, 1));
  visit(bytes);
  for (std::size_t cut = 1; cut < text.size(); ++cut) visit(Pieces{text.substr(0, cut), text.substr(cut)});
}

// Feeds the pieces until one is not taken whole; returns how many bytes were taken. Each piece lies
// in memory of its own that is gone afterwards, so that a sanitizer sees what is read beside it, and
// what is kept of it.
template <class Reader>
std::size_t feed_pieces(Reader& reader, const Pieces& pieces) {
  std::size_t taken = 0;
  for (const std::string_view piece : pieces) {
    const std::unique_ptr<std::byte[]> copy(new std::byte[piece.size()]);
    if (!piece.empty()) std::memcpy(copy.get(), piece.data(), piece.size());
    const std::size_t now = reader.feed(ConstBytes(copy.get(), piece.size()));
    taken += now;
    if (now < piece.size()) break;
  }
  return taken;
}

}  // namespace sansock::testing
