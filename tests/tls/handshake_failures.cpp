// handshake_failures PORT STAGE COUNT : so many clients begin a handshake with the server at PORT of this
// machine and leave it at STAGE, some of them at a time. Exits with 1 if one could not get so far.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "raw_client.h"
#include "tls_peer.h"

namespace {

using namespace sansock;
using namespace sansock::test;

constexpr std::size_t together = 40;

class Client {
 public:
  Client(const Address& server, const TlsPeerOptions& options) : raw_(server), peer_(options) {
    peer_.handshake();
    hello_ = peer_.take();
  }

  bool connected() const { return !raw_.error() && !hello_.empty(); }
  void send(std::string_view bytes) { raw_.send(bytes); }
  const std::string& hello() const { return hello_; }
  // The server's answer to all that was sent so far, of which the peer makes its own.
  bool receive() {
    const std::string bytes = raw_.read_size(1);
    raw_.forget();
    peer_.put(bytes);
    peer_.handshake();
    peer_.read();
    return !bytes.empty();
  }
  // Until the peer is content or has refused; what it says then is not sent yet.
  bool receive_flight() {
    for (;;) {
      if (!receive()) return false;
      reply_ = peer_.take();
      if (!reply_.empty()) return true;
    }
  }
  const std::string& reply() const { return reply_; }
  TlsPeer& peer() { return peer_; }

 private:
  RawClient raw_;
  TlsPeer peer_;
  std::string hello_;
  std::string reply_;
};

struct Stage {
  const char* name;
  TlsPeerOptions options;
  std::function<bool(Client&)> go;
};

void refuse_everybody(SSL_CTX* context) { SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr); }
void speak_old_ciphers(SSL_CTX* context) { SSL_CTX_set_cipher_list(context, "ALL"); }

const Stage stages[] = {
    {"nothing", {}, [](Client&) { return true; }},
    {"half_hello",
     {},
     [](Client& client) {
       client.send(std::string_view(client.hello()).substr(0, client.hello().size() / 2));
       return true;
     }},
    {"hello",
     {},
     [](Client& client) {
       client.send(client.hello());
       return client.receive();
     }},
    {"old_version",
     {.version_min = TLS1_VERSION, .version_max = TLS1_1_VERSION, .prepare = speak_old_ciphers},
     [](Client& client) {
       client.send(client.hello());
       return client.receive() && client.peer().alert() == SSL_AD_PROTOCOL_VERSION;
     }},
    {"refused",
     {.prepare = refuse_everybody},
     [](Client& client) {
       client.send(client.hello());
       if (!client.receive_flight() || client.peer().established()) return false;
       client.send(client.reply());
       return true;
     }},
    {"junk",
     {},
     [](Client& client) {
       client.send(client.hello());
       if (!client.receive_flight()) return false;
       client.send(std::string("\x17\x03\x03\x00\x40", 5) + std::string(64, 'j'));
       return client.receive();
     }},
    {"established",
     {},
     [](Client& client) {
       client.send(client.hello());
       if (!client.receive_flight()) return false;
       client.send(client.reply());
       return client.peer().established();
     }},
    {"established_1_2",
     {.version_max = TLS1_2_VERSION},
     [](Client& client) {
       client.send(client.hello());
       if (!client.receive_flight()) return false;
       client.send(client.reply());
       while (!client.peer().established()) {
         if (!client.receive()) return false;
       }
       return true;
     }},
};

template <class Number>
bool read_number(const char* text, Number& number) {
  const char* const end = text + std::strlen(text);
  return std::from_chars(text, end, number).ptr == end;
}

}  // namespace

int main(int count_of_arguments, char** arguments) {
  Address server{.family = Address::Family::ipv4, .host = "127.0.0.1"};
  int count = 0;
  if (count_of_arguments != 4 || !read_number(arguments[1], server.port) ||
      !read_number(arguments[3], count)) {
    std::fputs("usage: handshake_failures PORT STAGE COUNT\n", stderr);
    return 2;
  }
  for (const Stage& stage : stages) {
    if (std::string_view(stage.name) != arguments[2]) continue;
    std::deque<std::unique_ptr<Client>> open;
    for (int i = 0; i < count; ++i) {
      if (open.size() == together) open.pop_front();
      open.push_back(std::make_unique<Client>(server, stage.options));
      if (!open.back()->connected() || !stage.go(*open.back())) {
        std::fprintf(stderr, "client %d of the stage '%s' did not get so far\n", i, stage.name);
        return 1;
      }
    }
    return 0;
  }
  std::fprintf(stderr, "there is no stage '%s'\n", arguments[2]);
  return 2;
}
