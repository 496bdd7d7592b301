// The function inside of which instructions are counted.
#pragma once

#include <cstddef>
#include <functional>

namespace sansock::bench {

using Work = std::function<std::size_t()>;

// Does the work; returns how many items were done. It is in a source of its own, and has a plain name, so
// that it is one symbol that callgrind finds: neither inlined nor cloned.
extern "C" std::size_t measured(const Work& work);

}  // namespace sansock::bench
