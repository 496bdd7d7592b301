#include "text_window.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sansock {
namespace {

constexpr std::size_t capacity_min = 512;

void copy(std::byte* to, ConstBytes from) noexcept {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

}  // namespace

bool TextWindow::append(DeflateMemory& memory, ConstBytes text) noexcept {
  if (text.size() > size_max_) text = text.last(size_max_);
  const std::size_t size_wanted = std::min<std::size_t>(size_max_, size_ + text.size());
  if (size_wanted > capacity_ && !grow(memory, size_wanted)) return false;
  put(text);
  return true;
}

void TextWindow::append_or_shorten(DeflateMemory& memory, ConstBytes text) noexcept {
  if (!append(memory, text)) put(text);
}

void TextWindow::clear(DeflateMemory& memory) noexcept {
  memory.release(ring_, capacity_);
  ring_ = nullptr;
  capacity_ = begin_ = size_ = 0;
}

std::array<ConstBytes, 2> TextWindow::segments() const noexcept {
  const std::size_t until_wrap = std::min<std::size_t>(size_, capacity_ - begin_);
  return {ConstBytes(ring_ + begin_, until_wrap), ConstBytes(ring_, size_ - until_wrap)};
}

bool TextWindow::grow(DeflateMemory& memory, std::size_t size_wanted) noexcept {
  const std::size_t capacity =
      std::min<std::size_t>(size_max_, std::bit_ceil(std::max(size_wanted, capacity_min)));
  std::byte* const ring = memory.acquire(capacity);
  if (ring == nullptr) return false;
  const auto [older, newer] = segments();
  copy(ring, older);
  copy(ring + older.size(), newer);
  memory.release(ring_, capacity_);
  ring_ = ring;
  capacity_ = static_cast<std::uint32_t>(capacity);
  begin_ = 0;
  return true;
}

void TextWindow::put(ConstBytes text) noexcept {
  if (text.size() > capacity_) text = text.last(capacity_);
  if (text.empty()) return;
  // The capacity is a power of two.
  const std::uint32_t end = (begin_ + size_) & (capacity_ - 1);
  const std::size_t until_wrap = std::min<std::size_t>(text.size(), capacity_ - end);
  copy(ring_ + end, text.first(until_wrap));
  copy(ring_, text.subspan(until_wrap));
  const std::size_t size = size_ + text.size();
  const std::size_t lost = size > capacity_ ? size - capacity_ : 0;
  begin_ = static_cast<std::uint32_t>(begin_ + lost) & (capacity_ - 1);
  size_ = static_cast<std::uint32_t>(size - lost);
}

}  // namespace sansock
