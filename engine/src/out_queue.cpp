// The output queue: see out_queue.h. Nodes and our own bytes share blocks:
//
//   OutBlock: [ header | node | bytes … | node | node | bytes … grows -> | free ]
//
// Output leaves in the order in which it came, so a block is free when its last node is.
#include "sansock/detail/out_queue.h"

#include <algorithm>
#include <new>

#include "assert.h"

namespace sansock::detail {

namespace {

constexpr std::size_t contiguous_max = frame_header_max + control_payload_max;

// The smallest block takes a contiguous append and a view behind it.
static_assert(sizeof(OutBlock) + 2 * sizeof(OutSegment) + contiguous_max + alignof(OutSegment) <=
              block_size_min);

constexpr std::uint32_t align_up(std::uint32_t offset) noexcept {
  constexpr std::uint32_t mask = alignof(OutSegment) - 1;
  return (offset + mask) & ~mask;
}

}  // namespace

bool SpareBlocks::acquire() noexcept {
  std::byte* const memory = pool_.acquire();
  if (memory == nullptr) return false;
  newest_ =
      new (memory) OutBlock{newest_, static_cast<std::uint32_t>(pool_.block_size()), sizeof(OutBlock), 0};
  return true;
}

void SpareBlocks::release() noexcept {
  while (newest_ != nullptr) pool_.release(reinterpret_cast<std::byte*>(take()));
}

OutBlock* SpareBlocks::take() noexcept {
  SANSOCK_ASSERT(newest_ != nullptr);  // reserve() promised it
  OutBlock* const block = newest_;
  newest_ = block->next;
  return block;
}

// Counts whole blocks that are certainly enough: the tail's room counts only where all of it fits
// there, and each fresh block gives what a single segment in it can hold. The contiguous part comes
// first, so it never leaves a gap in a fresh block.
bool OutQueue::reserve(SpareBlocks& spare, std::size_t size, unsigned views) noexcept {
  SANSOCK_ASSERT(spare.newest_ == nullptr);
  const std::size_t overhead = (views + 1u) * (sizeof(OutSegment) + alignof(OutSegment));
  if (head_ != nullptr && tail_->block->used + overhead + size <= tail_->block->size) return true;
  const std::size_t gain = spare.pool_.block_size() - sizeof(OutBlock) - sizeof(OutSegment);
  for (std::size_t granted = 0; granted < size + overhead - sizeof(OutSegment); granted += gain) {
    if (spare.acquire()) continue;
    spare.release();
    return false;
  }
  return true;
}

// A node at the end of the newest block, or in a spare one where that is full or none is in use.
OutSegment& OutQueue::append_node(SpareBlocks& spare) noexcept {
  OutBlock* block = tail_ != nullptr ? tail_->block : nullptr;
  if (block == nullptr || align_up(block->used) + sizeof(OutSegment) > block->size) block = spare.take();
  return append_node_in(*block);
}

OutSegment& OutQueue::append_node_in(OutBlock& block) noexcept {
  const std::uint32_t offset = align_up(block.used);
  auto* const node = new (reinterpret_cast<std::byte*>(&block) + offset) OutSegment{};
  node->block = &block;
  node->base = reinterpret_cast<std::byte*>(node + 1);
  block.used = offset + static_cast<std::uint32_t>(sizeof(OutSegment));
  ++block.nodes;
  if (tail_ != nullptr) tail_->next = node;
  tail_ = node;
  if (head_ == nullptr) {
    head_ = node;
    head_sent_ = 0;
  }
  if (reap_ == nullptr) reap_ = node;
  return *node;
}

// A segment of our own at the tail with at least `size_min` free bytes behind it; `room` is how many.
OutSegment& OutQueue::grow(SpareBlocks& spare, std::size_t size_min, std::size_t& room) noexcept {
  OutBlock* const block = tail_ != nullptr ? tail_->block : nullptr;
  // In a full block there is nothing to grow into, even for no byte at all.
  if (!tail_grows() || block->size == block->used || block->size - block->used < size_min) {
    if (block != nullptr && align_up(block->used) + sizeof(OutSegment) + size_min > block->size) {
      block->used = block->size;  // too little left: leave it unused
    }
    append_node(spare);
  }
  room = tail_->block->size - tail_->block->used;
  SANSOCK_ASSERT(room >= size_min);
  return *tail_;
}

std::byte* OutQueue::append_contiguous(SpareBlocks& spare, std::size_t size) noexcept {
  std::size_t room = 0;
  return added(grow(spare, size, room), size);
}

void OutQueue::append(SpareBlocks& spare, ConstBytes bytes) noexcept {
  while (!bytes.empty()) {
    std::size_t room = 0;
    OutSegment& segment = grow(spare, 1, room);
    const std::size_t size = std::min(room, bytes.size());
    std::memcpy(added(segment, size), bytes.data(), size);
    bytes = bytes.subspan(size);
  }
}

void OutQueue::append_masked(SpareBlocks& spare, ConstBytes bytes, MaskKey key,
                             const Kernels& kernels) noexcept {
  while (!bytes.empty()) {
    std::size_t room = 0;
    OutSegment& segment = grow(spare, 1, room);
    const std::size_t size = std::min(room, bytes.size());
    key = kernels.mask_copy(added(segment, size), bytes.first(size), key);
    bytes = bytes.subspan(size);
  }
}

void OutQueue::append_borrowed(SpareBlocks& spare, Bytes bytes, std::uint64_t token) noexcept {
  OutSegment& node = append_node(spare);
  node.kind = SegmentKind::borrowed;
  node.base = bytes.data();
  node.size = static_cast<std::uint32_t>(bytes.size());
  node.token = token;
  bytes_ += node.size;
}

void OutQueue::append_shared(SpareBlocks& spare, SharedFrame& frame) noexcept {
  OutSegment& node = append_node(spare);
  node.kind = SegmentKind::shared;
  // gather() hands out mutable pointers because struct iovec has them; nobody writes through this.
  node.base = const_cast<std::byte*>(frame.bytes.data());
  node.size = static_cast<std::uint32_t>(frame.bytes.size());
  node.frame = &frame;
  frame.retain();
  bytes_ += node.size;
}

void OutQueue::append_inline(ConstBytes bytes) noexcept {
  SANSOCK_ASSERT(inline_size_ == 0 && bytes.size() <= inline_.size());
  std::memcpy(inline_.data(), bytes.data(), bytes.size());
  inline_size_ = static_cast<std::uint8_t>(bytes.size());
  bytes_ += inline_size_;
}

bool OutQueue::can_take_back(std::size_t size) const noexcept {
  if (head_ == nullptr || tail_->kind != SegmentKind::owned || inline_size_ != 0) return false;
  const std::size_t sent = tail_ == head_ ? head_sent_ : 0;
  return tail_->size - sent >= size && offered_ + size <= bytes_;
}

void OutQueue::take_back(BlockPool& pool, std::size_t size) noexcept {
  SANSOCK_ASSERT(can_take_back(size));
  const auto cut = static_cast<std::uint32_t>(size);
  tail_->size -= cut;
  std::byte* const end = tail_->base + tail_->size;
  // The block's free part may begin behind an unused rest; then that rest stays unused.
  if (end + cut == reinterpret_cast<std::byte*>(tail_->block) + tail_->block->used) {
    tail_->block->used -= cut;
    pool.wipe(end, cut);  // or what is not written over would stay there
  }
  bytes_ -= cut;
}

std::size_t OutQueue::gather_any(std::span<IoSlice> slices) noexcept {
  std::size_t count = 0;
  std::uint32_t offered = 0;
  std::uint32_t skip = head_sent_;
  for (OutSegment* node = head_; node != nullptr && count < slices.size(); node = node->next) {
    const std::uint32_t size = node->size - skip;
    if (size != 0) slices[count++] = {node->base + skip, size};
    offered += size;
    skip = 0;
  }
  if (count < slices.size() && inline_sent_ < inline_size_) {
    const auto size = static_cast<std::uint32_t>(inline_size_ - inline_sent_);
    slices[count++] = {inline_.data() + inline_sent_, size};
    offered += size;
  }
  offered_ = std::max(offered_, offered);
  return count;
}

void OutQueue::consume_any(BlockPool& pool, std::size_t written) noexcept {
  SANSOCK_ASSERT(written <= offered_);
  auto left = static_cast<std::uint32_t>(written);
  offered_ -= left;
  stalled_ = offered_ != 0;
  bytes_ -= left;
  while (head_ != nullptr) {
    const std::uint32_t size = std::min(left, head_->size - head_sent_);
    head_sent_ += size;
    left -= size;
    if (head_sent_ < head_->size) break;
    head_ = head_->next;
    head_sent_ = 0;
  }
  inline_sent_ = static_cast<std::uint8_t>(inline_sent_ + left);
  SANSOCK_ASSERT(inline_sent_ <= inline_size_);
  reap(pool);
}

// Frees what is sent, up to a borrowed segment that still has to be reported.
void OutQueue::reap(BlockPool& pool) noexcept {
  while (reap_ != head_ && reap_->kind != SegmentKind::borrowed) free_oldest(pool);
}

void OutQueue::free_oldest(BlockPool& pool) noexcept {
  OutSegment* const node = reap_;
  OutBlock* const block = node->block;
  if (node->kind == SegmentKind::shared) node->frame->release();
  reap_ = node->next;
  if (reap_ == nullptr) tail_ = nullptr;
  // A block in which the newest node lies still grows; it has that node, so it is not empty.
  if (--block->nodes == 0) pool.release_used(reinterpret_cast<std::byte*>(block), block->used);
}

bool OutQueue::take_sent(BlockPool& pool, std::uint64_t& token, bool& complete) noexcept {
  if (reap_ == head_) return false;
  SANSOCK_ASSERT(reap_->kind == SegmentKind::borrowed);
  token = reap_->token;
  complete = !reap_->dropped;
  free_oldest(pool);
  reap(pool);
  return true;
}

void OutQueue::abandon(BlockPool& pool) noexcept {
  for (OutSegment* node = head_; node != nullptr; node = node->next) node->dropped = true;
  head_ = nullptr;
  head_sent_ = 0;
  bytes_ = 0;
  offered_ = 0;
  stalled_ = false;
  inline_size_ = inline_sent_ = 0;
  reap(pool);
}

void OutQueue::clear(BlockPool& pool) noexcept {
  abandon(pool);
  while (reap_ != nullptr) free_oldest(pool);
}

}  // namespace sansock::detail
