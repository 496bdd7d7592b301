#include "malloc_trap.h"

#include <cerrno>
#include <cstdlib>

namespace sansock::testing {
namespace {

bool armed = false;
std::size_t allocations = 0;

void note() {
  if (armed) ++allocations;
}

}  // namespace

MallocTrap::MallocTrap() {
  allocations = 0;
  armed = true;
}
MallocTrap::~MallocTrap() { armed = false; }
std::size_t MallocTrap::count() { return allocations; }

}  // namespace sansock::testing

// The names of glibc behind its malloc. free() needs no replacement.
extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  sansock::testing::note();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  sansock::testing::note();
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  sansock::testing::note();
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  sansock::testing::note();
  return __libc_memalign(alignment, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  sansock::testing::note();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  sansock::testing::note();
  *out = __libc_memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}

}  // extern "C"
