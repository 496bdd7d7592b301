#include "sansock/detail/uring_core.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <optional>

#include "large_reads.h"
#include "receive_buffers.h"
#include "ring.h"
#include "sansock/detail/stream_io.h"
#include "uring_listeners.h"

namespace sansock::detail {
namespace {

constexpr int op_fixed_fd_install = 54;  // Linux 6.8; not in the header of liburing 2.3
constexpr Duration quiet_min = std::chrono::milliseconds(100);
constexpr UringTag mailbox_tag{UringOp::mailbox, 0, 0};
constexpr UringTag install_tag{UringOp::install, 0, 0};

// A connection seldom asks for more than a receive, a send and a watch or a cancellation in one turn.
unsigned submissions_for(unsigned connections) noexcept {
  return std::bit_ceil(std::clamp(4 * connections, 16u, 1024u));
}
unsigned buffers_for(unsigned connections) noexcept {
  return std::bit_ceil(std::clamp(connections, 4u, 256u));
}

}  // namespace

// What sendmsg(2) of several slices points to, until it was handed over.
class MessageArena {
 public:
  // nullptr: full.
  const msghdr* make(std::span<const IoSlice> slices) noexcept {
    if (messages_used_ == messages_max || slices_used_ + slices.size() > slices_max) return nullptr;
    iovec* const first = slices_.data() + slices_used_;
    for (const IoSlice& slice : slices) slices_[slices_used_++] = {slice.base, slice.size};
    msghdr& message = messages_[messages_used_++];
    message = {};
    message.msg_iov = first;
    message.msg_iovlen = slices.size();
    return &message;
  }
  void clear() noexcept { messages_used_ = slices_used_ = 0; }

 private:
  static constexpr std::size_t messages_max = 256;
  static constexpr std::size_t slices_max = 2048;
  std::array<msghdr, messages_max> messages_;
  std::array<iovec, slices_max> slices_;
  std::size_t messages_used_ = 0;
  std::size_t slices_used_ = 0;
};

struct UringCore::Parts {
  Ring ring;
  ReceiveBuffers buffers;
  std::optional<LargeReads> large;
  UringListeners listeners;
  MessageArena arena;
  LoopCounters counters;
  bool tcp_nodelay = true;
  bool direct = false;
  bool multishot = true;  // receives
  bool mailbox_armed = false;
  bool busy = true;  // the last wait brought something
  bool quiet = false;
  Instant busy_at{};

  UringOp receive_op() const noexcept { return multishot ? UringOp::receive : UringOp::receive_once; }
  io_uring_sqe* prepare(LoopSocket socket, UringTag tag) noexcept;
  static void begin(io_uring_sqe& sqe, LoopSocket socket, UringTag tag) noexcept;
  void arm_mailbox(int fd) noexcept;
  unsigned make_table(unsigned connections_max) noexcept;
};

UringCore::UringCore() : parts_(std::make_unique<Parts>()) {}

UringCore::~UringCore() {
  if (parts_->ring.is_open()) parts_->ring.submit();
}

std::error_code UringCore::open(const LoopOptions& options) {
  const unsigned submissions = submissions_for(options.connections_max);
  if (const auto error = parts_->ring.open(submissions, 4 * submissions, options.one_thread)) {
    return error;
  }
  const unsigned buffers = buffers_for(options.connections_max);
  if (const auto error = parts_->buffers.open(parts_->ring.get(), buffers, options.receive_buffer_size)) {
    return error;
  }
  buffers_memory_ = parts_->buffers.memory();
  buffer_size_ = parts_->buffers.size();
  buffers_ = buffers;
  parts_->large.emplace(buffer_size_);
  large_min_ = static_cast<std::int32_t>(std::clamp<std::size_t>(options.large_receive_min, 1, INT32_MAX));
  parts_->listeners.open(parts_->ring, parts_->make_table(options.connections_max));
  parts_->tcp_nodelay = options.tcp_nodelay;
  if (parts_->ring.supports(IORING_OP_SENDMSG_ZC)) zero_copy_min_ = options.zero_copy_min;
  return mailbox.open();
}

// The table of direct descriptors, with a reserve for what is accepted beyond the last one that is
// allowed. Without IORING_OP_FIXED_FD_INSTALL nobody could ask for a peer's address, so then there are
// none, and likewise where the limit of descriptors makes the table too small to be of use.
unsigned UringCore::Parts::make_table(unsigned connections_max) noexcept {
  constexpr unsigned table_min = 256;
  if (!ring.supports(op_fixed_fd_install)) return 0;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const auto size =
      static_cast<unsigned>(std::min<rlim_t>(limit.rlim_cur, rlim_t{connections_max} + table_min));
  if (size < std::min(connections_max, table_min) + table_min / 2) return 0;
  direct = io_uring_register_files_sparse(ring.get(), size) == 0;
  return direct ? size : 0;
}

std::span<const UringCompletion> UringCore::wait(Duration wait_max, Instant deadline, Instant now) {
  Parts& parts = *parts_;
  ++parts.counters.turns;
  if (parts.busy) parts.busy_at = now;
  // Only where the kernel writes nothing into a buffer but while this thread waits.
  const bool warm = parts.buffers.warm() || parts.large->warm();
  const bool trimmable = warm && parts.ring.deferred() && !parts.ring.completed();
  parts.quiet = trimmable && now - parts.busy_at >= quiet_min;
  parts.buffers.publish(parts.quiet);
  if (parts.quiet) parts.large->trim();
  const bool complete = parts.listeners.arm();
  if (!parts.mailbox_armed) parts.arm_mailbox(mailbox.fd());
  if (!complete || !parts.mailbox_armed)
    wait_max = Duration::zero();  // for what the ring had no room for nobody would wait

  const Instant first = std::min(deadline, parts.listeners.paused_until());
  const Duration until_first = first == never ? no_timeout : std::max(first - now, Duration::zero());
  prepared_bytes_ = prepared_sends_ = 0;
  Duration wait = std::min(wait_max, until_first);
  // After a burst not for long: then its memory is given back.
  if (parts.quiet) {
    wait = Duration::zero();  // others have memory to give back, too
  } else if (trimmable) {
    wait = std::min(wait, parts.busy_at + quiet_min - now);
  }
  const auto completions = parts.ring.wait(wait);
  parts.busy = !completions.empty();
  if (!parts.ring.prepared()) parts.arena.clear();
  return completions;
}

bool UringCore::quiet() const noexcept { return parts_->quiet; }

void UringCore::submit() noexcept {
  parts_->buffers.publish(false);
  parts_->ring.submit();
  if (!parts_->ring.prepared()) parts_->arena.clear();
}

const LoopCounters& UringCore::counters() const noexcept {
  parts_->counters.enters = parts_->ring.enters;
  parts_->counters.submissions = parts_->ring.submissions;
  return parts_->counters;
}

// --- a connection's operations --------------------------------------------------------------------

// A submission about a socket, to be filled in further: io_uring_prep_*() would clear it.
io_uring_sqe* UringCore::Parts::prepare(LoopSocket socket, UringTag tag) noexcept {
  io_uring_sqe* const sqe = ring.next();
  if (sqe != nullptr) begin(*sqe, socket, tag);
  return sqe;
}
void UringCore::Parts::begin(io_uring_sqe& sqe, LoopSocket socket, UringTag tag) noexcept {
  io_uring_prep_nop(&sqe);
  sqe.fd = socket.number;
  if (socket.direct) sqe.flags |= IOSQE_FIXED_FILE;
  sqe.user_data = tag.word();
}

UringOp UringCore::receive(LoopSocket socket, UringTag tag) noexcept {
  const UringOp op = parts_->receive_op();
  io_uring_sqe* const sqe = parts_->prepare(socket, tag.with(op));
  if (sqe == nullptr) return UringOp::ignored;
  sqe->opcode = IORING_OP_RECV;
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = ReceiveBuffers::group;
  if (parts_->multishot) sqe->ioprio = IORING_RECV_MULTISHOT;
  return op;
}

bool UringCore::open_large() noexcept { return parts_->large->open(); }

bool UringCore::watch_readable(LoopSocket socket, UringTag tag) noexcept {
  io_uring_sqe* const sqe = parts_->prepare(socket, tag);
  if (sqe == nullptr) return false;
  sqe->opcode = IORING_OP_POLL_ADD;
  sqe->len = IORING_POLL_ADD_MULTI;
  constexpr std::uint32_t events = POLLIN | POLLRDHUP;
  sqe->poll32_events = std::endian::native == std::endian::big ? events << 16 : events;
  return true;
}

bool UringCore::queue_large(UringTag tag) noexcept { return parts_->large->queue(tag); }

std::size_t UringCore::large_queued() const noexcept { return parts_->large->queued(); }

UringTag UringCore::next_large() noexcept { return parts_->large->next(); }

bool UringCore::receive_large(LoopSocket socket, UringTag tag) noexcept {
  io_uring_sqe* const sqe = parts_->prepare(socket, tag);
  if (sqe == nullptr) return false;
  std::byte* const memory = parts_->large->take(tag);
  if (memory == nullptr) {
    io_uring_prep_nop(sqe);
    sqe->user_data = UringTag().word();
    return false;
  }
  sqe->opcode = IORING_OP_RECV;
  sqe->addr = reinterpret_cast<std::uint64_t>(memory);
  sqe->len = static_cast<std::uint32_t>(parts_->large->size());
  sqe->msg_flags = MSG_DONTWAIT;
  return true;
}

Bytes UringCore::received_large(const UringCompletion& completion) const noexcept {
  return parts_->large->received(completion.tag, completion.result);
}

void UringCore::recycle_large(const UringCompletion& completion) noexcept {
  parts_->large->recycle(completion.tag);
}

bool UringCore::filled_large(const UringCompletion& completion) const noexcept {
  return completion.result >= 0 && static_cast<std::size_t>(completion.result) >= parts_->large->size();
}

bool UringCore::send(LoopSocket socket, UringTag tag, std::span<const IoSlice> slices, bool zero_copy_allowed,
                     bool large) noexcept {
  std::size_t size = 0;
  for (const IoSlice& slice : slices) size += slice.size;
  const bool zero_copy = zero_copy_allowed && !copied(size);
  const msghdr* message = nullptr;
  if (slices.size() > 1) {
    message = parts_->arena.make(slices);
    if (message == nullptr) {
      submit();
      message = parts_->arena.make(slices);
      if (message == nullptr) return false;
    }
  }
  io_uring_sqe* const sqe = parts_->prepare(socket, tag);
  if (sqe == nullptr) return false;
  sqe->msg_flags = MSG_NOSIGNAL;
  if (!large) prepared_bytes_ += size;
  ++prepared_sends_;
  if (message != nullptr) {
    sqe->opcode = zero_copy ? IORING_OP_SENDMSG_ZC : IORING_OP_SENDMSG;
    sqe->addr = reinterpret_cast<std::uint64_t>(message);
    sqe->len = 1;
  } else {
    sqe->opcode = zero_copy ? IORING_OP_SEND_ZC : IORING_OP_SEND;
    sqe->addr = reinterpret_cast<std::uint64_t>(slices[0].base);
    sqe->len = static_cast<std::uint32_t>(slices[0].size);
  }
  return true;
}

bool UringCore::send_copied(LoopSocket socket, UringTag tag, IoSlice slice) noexcept {
  io_uring_sqe* const sqe = parts_->ring.next_here();
  if (sqe == nullptr) [[unlikely]]
    return false;
  Parts::begin(*sqe, socket, tag);
  sqe->opcode = IORING_OP_SEND;
  sqe->msg_flags = MSG_NOSIGNAL;
  sqe->addr = reinterpret_cast<std::uint64_t>(slice.base);
  sqe->len = static_cast<std::uint32_t>(slice.size);
  prepared_bytes_ += slice.size;
  ++prepared_sends_;
  return true;
}

bool UringCore::shutdown(LoopSocket socket, UringTag tag, int how) noexcept {
  if (!socket.direct) {
    ::shutdown(socket.number, how);
    return true;
  }
  io_uring_sqe* const sqe = parts_->prepare(socket, tag);
  if (sqe == nullptr) return false;
  sqe->opcode = IORING_OP_SHUTDOWN;
  sqe->len = static_cast<std::uint32_t>(how);
  return true;
}

bool UringCore::watch_hang_up(LoopSocket socket, UringTag tag) noexcept {
  io_uring_sqe* const sqe = parts_->prepare(socket, tag);
  if (sqe == nullptr) return false;
  // POLLHUP, POLLERR and POLLRDHUP are always waited for. Multishot, since the end of a half, which goes
  // on to be true, would complete each single one at once.
  sqe->opcode = IORING_OP_POLL_ADD;
  sqe->len = IORING_POLL_ADD_MULTI;
  return true;
}

bool UringCore::cancel(UringTag tag) noexcept { return parts_->ring.cancel(tag); }

void UringCore::close(LoopSocket socket) noexcept { parts_->listeners.close(socket); }

int UringCore::install(LoopSocket socket) noexcept {
  if (!socket.direct) return socket.number;
  io_uring_sqe* const sqe = parts_->prepare(socket, install_tag);
  if (sqe == nullptr) return -1;
  sqe->opcode = op_fixed_fd_install;
  prepared_bytes_ = prepared_sends_ = 0;
  UringCompletion completion;
  if (parts_->ring.submit_and_take(UringOp::install, {&completion, 1}).empty()) return -1;
  return std::max(completion.result, -1);
}

std::span<const UringCompletion> UringCore::flush(std::span<UringCompletion> completions) noexcept {
  if (!flush_due()) return {};
  prepared_bytes_ = prepared_sends_ = 0;
  const auto sent = parts_->ring.submit_and_take(UringOp::send, completions);
  if (!parts_->ring.prepared()) parts_->arena.clear();
  return sent;
}

Bytes UringCore::received(const UringCompletion& completion) noexcept {
  return parts_->buffers.taken(completion.buffer(), static_cast<std::size_t>(std::max(completion.result, 0)));
}

void UringCore::recycle(const UringCompletion& completion) noexcept {
  parts_->buffers.recycle(completion.buffer());
}

void UringCore::used(const UringCompletion& completion) noexcept {
  parts_->buffers.used(completion.buffer(), static_cast<std::size_t>(completion.result));
}

void UringCore::discard(const UringCompletion& completion) noexcept {
  if (!completion.has_buffer()) return;
  parts_->buffers.used(completion.buffer(), static_cast<std::size_t>(std::max(completion.result, 0)));
}

bool UringCore::receive_again(const UringCompletion& completion) noexcept {
  switch (-completion.result) {
    case ENOBUFS: parts_->buffers.starved(); return true;
    case EINVAL:  // older than 6.0: one at a time
      if (completion.tag.op() != UringOp::receive) return false;
      parts_->multishot = false;
      return true;
    case ECANCELED:
    case EINTR:
    case EAGAIN: return true;
    default: return false;
  }
}

bool UringCore::send_later(int error) noexcept {
  // ENOBUFS, ENOMEM: the kernel is short of memory, not the connection broken. ECANCELED: the thread has
  // ended that had asked for it.
  return error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == EINTR || error == ECANCELED;
}

bool UringCore::copy_instead(int error) noexcept {
  // A Unix socket can not do it, and locked memory may be used up.
  return error == EOPNOTSUPP || error == EINVAL || error == ENOMEM || error == ENOBUFS;
}

// --- listeners and the mailbox --------------------------------------------------------------------

std::error_code UringCore::listen(int fd, AcceptFunction accepted) {
  // What is accepted has it from its listener: a direct descriptor can not be asked to.
  if (parts_->tcp_nodelay) set_nodelay(fd);
  if (const auto error = set_blocking(fd)) {
    close_descriptor(fd);
    return error;
  }
  parts_->listeners.listen(fd, std::move(accepted));
  return {};
}

void UringCore::stop_accepting() noexcept { parts_->listeners.stop(); }

bool UringCore::accepting() const noexcept { return parts_->listeners.under_way() != 0; }

void UringCore::on_accept(const UringCompletion& completion, unsigned room, Instant now) {
  parts_->listeners.on_completion(completion, room, now, parts_->counters);
}

void UringCore::try_accepting_again(bool freed, unsigned room, Instant now) {
  parts_->listeners.try_again(freed, room, now, parts_->counters);
}

void UringCore::Parts::arm_mailbox(int fd) noexcept {
  io_uring_sqe* const sqe = ring.next();
  if (sqe == nullptr) return;
  io_uring_prep_poll_multishot(sqe, fd, POLLIN);
  sqe->user_data = mailbox_tag.word();
  mailbox_armed = true;
}

void UringCore::on_mailbox(const UringCompletion& completion) {
  if (!completion.more()) parts_->mailbox_armed = false;
  mailbox.run();
}

}  // namespace sansock::detail
