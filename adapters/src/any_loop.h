// A loop of connections, whatever it is made of, so that Server and Client are compiled once. What
// it has to do is described in sansock/loop.h; a further adapter needs a Loop with those calls, and
// nothing here.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "sansock/loop.h"
#include "sansock/socket.h"
#include "sansock/tls_layer.h"

namespace sansock {

// Handlers of type H are made with a reference to their Owner.
template <class H, class Owner>
class AnyLoop {
 public:
  AnyLoop() = default;
  AnyLoop(const AnyLoop&) = delete;
  AnyLoop& operator=(const AnyLoop&) = delete;
  virtual ~AnyLoop() = default;

  virtual std::error_code open() = 0;
  virtual std::optional<ConnectionId> add(LoopSocket socket, Role role, const Config& config,
                                          Owner& owner) = 0;
  virtual bool secure(ConnectionId id, std::unique_ptr<TlsEngine> engine) = 0;
  virtual const TlsLayer* tls(ConnectionId id) = 0;
  virtual Driver<H>* find(ConnectionId id) = 0;
  virtual ConnectionId id(std::uint32_t slot) = 0;
  virtual void touch(ConnectionId id) = 0;
  virtual void flush(ConnectionId id) = 0;
  virtual void for_each(const std::function<void(Driver<H>&)>& visit) = 0;
  virtual int fd(ConnectionId id) = 0;
  virtual Address remote_address(ConnectionId id) = 0;
  virtual void turn(Duration wait_max) = 0;
  virtual bool post(std::function<void()> task) = 0;
  virtual void wake() noexcept = 0;
  virtual unsigned connections() = 0;
  virtual std::uint64_t accept_backoffs() = 0;
  virtual std::error_code listen(int fd, std::function<void(LoopSocket)> accepted) = 0;
  virtual void stop_accepting() = 0;
};

template <class Loop, class H, class Owner>
class AnyLoopOf final : public AnyLoop<H, Owner> {
 public:
  explicit AnyLoopOf(const LoopOptions& options) : loop_(options) {}

  std::error_code open() override { return loop_.open(); }
  std::optional<ConnectionId> add(LoopSocket socket, Role role, const Config& config, Owner& owner) override {
    if constexpr (requires { loop_.add(socket, role, config, owner); }) {
      if (socket.direct) return loop_.add(socket, role, config, owner);
    }
    return loop_.add(socket.number, role, config, owner);
  }
  bool secure(ConnectionId id, std::unique_ptr<TlsEngine> engine) override {
    return loop_.secure(id, std::move(engine));
  }
  const TlsLayer* tls(ConnectionId id) override { return loop_.tls(id); }
  Driver<H>* find(ConnectionId id) override { return loop_.find(id); }
  ConnectionId id(std::uint32_t slot) override { return loop_.id(slot); }
  void touch(ConnectionId id) override { loop_.touch(id); }
  void flush(ConnectionId id) override { loop_.flush(id); }
  void for_each(const std::function<void(Driver<H>&)>& visit) override {
    loop_.for_each([&visit](ConnectionId, Driver<H>& driver) { visit(driver); });
  }
  int fd(ConnectionId id) override { return loop_.fd(id); }
  Address remote_address(ConnectionId id) override {
    if constexpr (requires { loop_.with_fd(id, sansock::remote_address); }) {
      return loop_.with_fd(id, sansock::remote_address);
    } else {
      return sansock::remote_address(loop_.fd(id));
    }
  }
  void turn(Duration wait_max) override { loop_.turn(wait_max); }
  bool post(std::function<void()> task) override { return loop_.post(std::move(task)); }
  void wake() noexcept override { loop_.wake(); }
  unsigned connections() override { return loop_.connections(); }
  std::uint64_t accept_backoffs() override { return loop_.counters().accept_backoffs; }
  std::error_code listen(int fd, std::function<void(LoopSocket)> accepted) override {
    if constexpr (requires { loop_.listen(fd, std::function<void(LoopSocket)>()); }) {
      return loop_.listen(fd, std::move(accepted));
    } else if constexpr (requires { loop_.stop_accepting(); }) {
      return loop_.listen(fd, [accepted = std::move(accepted)](int socket) { accepted(LoopSocket{socket}); });
    } else {
      return std::make_error_code(std::errc::operation_not_supported);
    }
  }
  void stop_accepting() override {
    if constexpr (requires { loop_.stop_accepting(); }) loop_.stop_accepting();
  }

 private:
  Loop loop_;
};

}  // namespace sansock
