// The kit's end of a connection over TLS; the test has the other end, and holds it back where it wants to.
#include "run/stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls_files.h"

namespace conform {
namespace {

using Input = Stream::Input;

class Talk {
 public:
  Talk() : files_("DNS:localhost"), peer_(client_channel({"localhost", files_.certificate(), false})) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    stream_ = std::make_unique<Stream>(Descriptor(ends[0]), files_.server());
    socket_ = std::make_unique<Descriptor>(ends[1]);
    while (!stream_->open()) {
      give();
      receive();
      stream_->flush();
      take();
    }
    give();
    receive();
  }

  // What the peer has to say goes to the stream.
  void give() {
    const std::string_view octets = peer_->output();
    EXPECT_EQ(::send(socket_->number(), octets.data(), octets.size(), 0),
              static_cast<ssize_t>(octets.size()));
    peer_->consume(octets.size());
  }
  // One read of the peer; how many octets there were.
  std::size_t take() {
    char buffer[65536];
    const ssize_t size = ::read(socket_->number(), buffer, sizeof buffer);
    if (size == 0) fin_seen_ = true;
    if (size <= 0) return 0;
    peer_->feed({buffer, static_cast<std::size_t>(size)});
    return static_cast<std::size_t>(size);
  }
  void take_all() {
    while (take() != 0) {
      for (auto part = peer_->read(); !part.empty(); part = peer_->read()) {
        peer_got_ += part.size();
        records_.push_back(std::string(part.substr(0, 10)));
      }
    }
  }
  Input receive() {
    return stream_->receive([this](std::string_view octets) { got_ += octets; });
  }
  void drop() { shutdown(socket_->number(), SHUT_WR); }

  TlsFiles files_;
  std::unique_ptr<TlsChannel> peer_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Descriptor> socket_;
  std::string got_;
  std::size_t peer_got_ = 0;
  std::vector<std::string> records_;
  bool fin_seen_ = false;
};

TEST(Stream_, ASoundEndHasCloseNotify) {
  Talk talk;
  talk.peer_->write("last words");
  talk.peer_->close();
  talk.give();
  EXPECT_EQ(talk.receive(), Input::octets);
  EXPECT_EQ(talk.got_, "last words");
  // Answered at once, though TCP has not ended; nothing else is sent any more.
  std::size_t written = 0;
  EXPECT_FALSE(talk.stream_->send("too late", written));
  EXPECT_TRUE(talk.stream_->failed());
  EXPECT_TRUE(talk.stream_->flush());
  talk.take_all();
  EXPECT_EQ(talk.peer_->state(), TlsChannel::State::ended);
  EXPECT_FALSE(talk.fin_seen_);
  EXPECT_EQ(talk.receive(), Input::nothing);
  talk.drop();
  EXPECT_EQ(talk.receive(), Input::ended);
  EXPECT_FALSE(talk.stream_->cut_off());
  EXPECT_EQ(talk.stream_->how(), "dropped TCP");
}

TEST(Stream_, AnEndWithoutCloseNotifyIsSeen) {
  Talk talk;
  talk.peer_->write("last words");
  talk.give();
  talk.drop();
  EXPECT_EQ(talk.receive(), Input::octets);
  EXPECT_EQ(talk.got_, "last words");
  EXPECT_EQ(talk.receive(), Input::ended);
  EXPECT_TRUE(talk.stream_->cut_off());
  EXPECT_EQ(talk.stream_->how(), "cut TLS off (dropped TCP, no close_notify)");
}

TEST(Stream_, AnEndInTheHandshakeIsNotATruncation) {
  TlsFiles files("DNS:localhost");
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  Stream stream(Descriptor{ends[0]}, files.server());
  std::size_t written = 0;
  EXPECT_FALSE(stream.send("early", written));
  EXPECT_FALSE(stream.failed());
  close(ends[1]);
  EXPECT_EQ(stream.receive([](std::string_view) {}), Input::ended);
  EXPECT_FALSE(stream.cut_off());
  EXPECT_EQ(stream.how(), "dropped TCP in the TLS handshake");
}

TEST(Stream_, WhatIsNoRecordBreaksIt) {
  Talk talk;
  const std::string text = "this is not a record";
  ASSERT_EQ(::send(talk.socket_->number(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  EXPECT_EQ(talk.receive(), Input::broken);
  EXPECT_TRUE(talk.stream_->cut_off());
  EXPECT_EQ(talk.stream_->how().find("broke TLS: "), 0u) << talk.stream_->how();
  // Told once; the alert still goes out, and what comes is thrown away.
  ASSERT_EQ(::send(talk.socket_->number(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  EXPECT_EQ(talk.receive(), Input::octets);
  talk.stream_->end();
  talk.take_all();
  EXPECT_EQ(talk.peer_->state(), TlsChannel::State::failed);
  EXPECT_TRUE(talk.fin_seen_);
  talk.drop();
  EXPECT_EQ(talk.receive(), Input::ended);
}

TEST(Stream_, EachSendIsARecord) {
  Talk talk;
  std::size_t written = 0;
  for (const std::string_view piece : {"a", "b", "cd"}) {
    EXPECT_TRUE(talk.stream_->send(piece, written));
    EXPECT_EQ(written, piece.size());
  }
  talk.stream_->end();
  EXPECT_FALSE(talk.stream_->send("after the end", written));
  talk.take_all();
  EXPECT_EQ(talk.records_, (std::vector<std::string>{"a", "b", "cd"}));
  EXPECT_EQ(talk.peer_->state(), TlsChannel::State::ended);
  EXPECT_TRUE(talk.fin_seen_);
}

TEST(Stream_, WhatTheSocketDoesNotTakeIsWrittenBeforeTheEnd) {
  Talk talk;
  const std::string large(4 * TlsChannel::write_size_max, '*');
  std::size_t sent = 0;
  std::size_t written = 0;
  while (talk.stream_->send(std::string_view(large).substr(sent), written)) sent += written;
  EXPECT_TRUE(talk.stream_->blocked());
  talk.stream_->end();
  EXPECT_TRUE(talk.stream_->blocked());
  talk.take_all();
  EXPECT_FALSE(talk.fin_seen_);
  while (!talk.stream_->flush()) talk.take_all();
  talk.take_all();
  // What was under way when it was ended is whole.
  EXPECT_EQ(talk.peer_got_, sent + TlsChannel::write_size_max);
  EXPECT_EQ(talk.peer_->state(), TlsChannel::State::ended);
  EXPECT_TRUE(talk.fin_seen_);
}

}  // namespace
}  // namespace conform
