#include "sansock/os_entropy.h"

#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace sansock {

// One page that the kernel zeroes in a child (MADV_WIPEONFORK, Linux 4.14): `left` is 0 there, which
// is what an empty batch looks like.
struct OsEntropy::Batch {
  static constexpr std::size_t page_size = 4096;
  std::size_t left;  // unused bytes, at the end of `bytes`
  std::byte bytes[page_size - sizeof(std::size_t)];
};

OsEntropy::OsEntropy() {
  static_assert(sizeof(Batch) == Batch::page_size);
  void* const page = mmap(nullptr, sizeof(Batch), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::bad_alloc();
  if (madvise(page, sizeof(Batch), MADV_WIPEONFORK) != 0) {
    std::fputs("sansock: this kernel can not wipe memory on fork (needs Linux 4.14)\n", stderr);
    std::abort();
  }
  batch_ = static_cast<Batch*>(page);
}

OsEntropy::~OsEntropy() {
  explicit_bzero(batch_, sizeof(Batch));
  munmap(batch_, sizeof(Batch));
}

void OsEntropy::fill(Bytes out) noexcept {
  while (!out.empty()) {
    if (batch_->left == 0) refill();
    const std::size_t size = std::min(batch_->left, out.size());
    std::byte* const from = batch_->bytes + sizeof batch_->bytes - batch_->left;
    std::memcpy(out.data(), from, size);
    explicit_bzero(from, size);
    batch_->left -= size;
    out = out.subspan(size);
  }
}

void OsEntropy::refill() noexcept {
  std::size_t filled = 0;
  while (filled < sizeof batch_->bytes) {
    const ssize_t got = getrandom(batch_->bytes + filled, sizeof batch_->bytes - filled, 0);
    if (got > 0) {
      filled += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      // Predictable masking keys are a hole (RFC 6455 section 10.3); there is no safe way on.
      std::fprintf(stderr, "sansock: getrandom failed: %s\n", std::strerror(errno));
      std::abort();
    }
  }
  batch_->left = sizeof batch_->bytes;
}

}  // namespace sansock
