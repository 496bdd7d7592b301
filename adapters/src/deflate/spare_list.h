// A few objects of one kind that nobody uses at the moment, so that the next user need not make one.
#pragma once

#include <array>
#include <cstddef>

namespace sansock {

template <class T, std::size_t size_max>
class SpareList {
 public:
  // nullptr: there is none.
  T* take() noexcept { return size_ == 0 ? nullptr : objects_[--size_]; }
  // false: there are enough.
  bool keep(T* object) noexcept {
    if (size_ == size_max) return false;
    objects_[size_++] = object;
    return true;
  }

 private:
  std::array<T*, size_max> objects_{};
  std::size_t size_ = 0;
};

}  // namespace sansock
