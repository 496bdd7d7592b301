// A TlsEngine that lets another one do the work and takes note of what goes through: what is encrypted, when
// it has left, and where in the ciphertext close_notify lies. So the checkers need not believe the engine.
#pragma once

#include <memory>
#include <utility>

#include "conversation.h"
#include "sansock/endpoint.h"
#include "sansock/tls_engine.h"
#include "scene.h"

namespace sansock::sim {

class WatchedEngine final : public TlsEngine {
 public:
  // `endpoint` is the one above it, of which `ending` tells.
  WatchedEngine(std::unique_ptr<TlsEngine> engine, Scene& scene, unsigned port, const Endpoint& endpoint,
                Ending& ending)
      : engine_(std::move(engine)), scene_(&scene), endpoint_(&endpoint), ending_(&ending), port_(port) {}

  void start() noexcept override { engine_->start(); }
  void feed(Bytes ciphertext) noexcept override { engine_->feed(ciphertext); }
  Bytes next() noexcept override {
    const Bytes plain = engine_->next();
    decrypted_ = decrypted_ || !plain.empty();
    return plain;
  }
  bool established() const noexcept override { return engine_->established(); }
  bool peer_closed() const noexcept override { return engine_->peer_closed(); }
  errc failure() const noexcept override { return engine_->failure(); }
  TlsStatus status() const override { return engine_->status(); }

  std::size_t seal(std::span<const IoSlice> plaintext) noexcept override {
    const std::size_t sealed = engine_->seal(plaintext);
    if (sealed != 0 && ending_->notify_end != 0) complain("something is encrypted behind close_notify");
    if (sealed != 0 && flight_ != 0) complain("something is encrypted before the last flight has left");
    flight_ += sealed;
    return sealed;
  }
  void close() noexcept override {
    if (scene_->knobs.plant == Plant::notify_forgotten) return;
    const std::uint64_t before = queued();
    engine_->close();
    if (queued() == before) return;
    if (ending_->notify_end != 0) complain("close_notify comes twice");
    if (endpoint_->output_size() != 0) complain("close_notify comes before the last byte of the output");
    ending_->notify_end = queued();
  }
  std::size_t output_size() const noexcept override { return engine_->output_size(); }
  std::size_t gather(std::span<IoSlice> slices) noexcept override { return engine_->gather(slices); }
  void consume(std::size_t written) noexcept override {
    engine_->consume(written);
    ending_->ciphertext_written += written;
    // Plaintext has left when all of its flight has.
    if (engine_->output_size() == 0) ending_->consumed += std::exchange(flight_, 0);
  }

  // Whether next() gave anything since this was asked last.
  bool take_decrypted() noexcept { return std::exchange(decrypted_, false); }

 private:
  std::uint64_t queued() const noexcept { return ending_->ciphertext_written + engine_->output_size(); }
  void complain(const char* text) noexcept { scene_->checks.fail("tls", port_, text); }

  std::unique_ptr<TlsEngine> engine_;
  Scene* scene_;
  const Endpoint* endpoint_;
  Ending* ending_;
  unsigned port_;
  std::size_t flight_ = 0;  // plaintext that was encrypted and has not left
  bool decrypted_ = false;
};

}  // namespace sansock::sim
