#include "tls_options.h"

#include <pthread.h>

#include <csignal>
#include <iostream>

#include "options.h"

namespace examples {
namespace {

void require_tls(const char* option) {
  if (sansock::tls_built_in()) return;
  throw CLI::ValidationError(option, "TLS is not built into this program: leave it out and use ws://");
}

CLI::Option* add_file(CLI::App& app, const char* option, std::string& file, const char* help) {
  return app
      .add_option_function<std::string>(
          option,
          [option, &file](const std::string& value) {
            require_tls(option);
            file = value;
          },
          help)
      ->type_name("FILE");
}

CLI::Option* add_list(CLI::App& app, const char* option, std::vector<std::string>& list, const char* type,
                      const char* help) {
  return app
      .add_option_function<std::vector<std::string>>(
          option,
          [option, &list](const std::vector<std::string>& values) {
            require_tls(option);
            list = values;
          },
          help)
      ->expected(1, -1)
      ->allow_extra_args(false)
      ->type_name(type);
}

}  // namespace

ServerTls::ServerTls(CLI::App& app) {
  CLI::Option* const chain = add_list(app, "--tls-cert", chain_files_, "FILE",
                                      "serve wss:// with this certificate chain (PEM); may be repeated");
  CLI::Option* const key = add_list(app, "--tls-key", key_files_, "FILE", "the key of each --tls-cert (PEM)");
  chain->needs(key);
  key->needs(chain);
  add_list(app, "--tls-ocsp", ocsp_files_, "FILE", "an OCSP answer (DER) to staple, of each --tls-cert")
      ->needs(chain);
  CLI::Option* const roots = add_file(app, "--tls-client-ca", options_.client_roots_file,
                                      "who may sign clients' certificates (PEM)");
  roots->needs(chain);
  const auto take = [this](const std::string& text) {
    require_tls("--tls-client");
    if (text != "request" && text != "require") {
      throw CLI::ValidationError("--tls-client", "unknown value '" + text + "': use request or require");
    }
    options_.client_certificates =
        text == "require" ? sansock::TlsClientCertificates::require : sansock::TlsClientCertificates::request;
  };
  CLI::Option* const mode =
      app.add_option_function<std::string>("--tls-client", take, "request or require clients' certificates");
  mode->needs(roots)->type_name("MODE");
  roots->needs(mode);  // alone it would ask nobody for anything
  add_file(app, "--tls-key-log", options_.key_log_file, "write the keys of all connections there, to debug")
      ->needs(chain);
  app.callback([this] {
    if (key_files_.size() == chain_files_.size() && ocsp_files_.size() <= chain_files_.size()) return;
    throw CLI::ValidationError("--tls-cert", "each needs one --tls-key, and has at most one --tls-ocsp");
  });
}

bool ServerTls::load(std::string_view program) {
  if (!wanted()) return true;
  options_.certificates.clear();
  for (std::size_t i = 0; i < chain_files_.size(); ++i) {
    options_.certificates.push_back({.chain_file = chain_files_[i],
                                     .key_file = key_files_[i],
                                     .ocsp_file = i < ocsp_files_.size() ? ocsp_files_[i] : std::string()});
  }
  if (!server_->load(options_)) return true;
  complain(program, server_->problem());
  return false;
}

ReloadOnHangUp::ReloadOnHangUp(ServerTls& tls, std::string_view program) {
  if (!tls.wanted()) return;
  sigset_t hang_up;
  sigemptyset(&hang_up);
  sigaddset(&hang_up, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &hang_up, nullptr);
  thread_ = std::thread([this, &tls, program, hang_up] {
    int signal = 0;
    while (sigwait(&hang_up, &signal) == 0 && !ending_) {
      if (tls.load(program)) std::cout << "certificates read again\n" << std::flush;
    }
  });
}

ReloadOnHangUp::~ReloadOnHangUp() {
  if (!thread_.joinable()) return;
  ending_ = true;
  pthread_kill(thread_.native_handle(), SIGHUP);
  thread_.join();
}

void add_client_tls_options(CLI::App& app, sansock::TlsClientOptions& options) {
  app.add_flag_callback(
      "--insecure",
      [&options] {
        require_tls("--insecure");
        options.insecure = true;
      },
      "take any certificate: who sits in between can read and change everything");
  add_file(app, "--tls-ca", options.roots_file, "whom to trust (PEM) instead of the system's authorities");
  const auto own = [&options]() -> sansock::TlsCertificate& {
    return options.certificate ? *options.certificate : options.certificate.emplace();
  };
  CLI::Option* const chain = app.add_option_function<std::string>(
      "--tls-cert",
      [own](const std::string& file) {
        require_tls("--tls-cert");
        own().chain_file = file;
      },
      "show this certificate chain (PEM)");
  CLI::Option* const key = app.add_option_function<std::string>(
      "--tls-key",
      [own](const std::string& file) {
        require_tls("--tls-key");
        own().key_file = file;
      },
      "the key of --tls-cert (PEM)");
  chain->type_name("FILE")->needs(key);
  key->type_name("FILE")->needs(chain);
  add_list(app, "--tls-pin", options.pins, "PIN", "require this key: sha256/BASE64; may be repeated");
  add_file(app, "--tls-name", options.server_name, "ask for and verify this name instead of the URL's host")
      ->type_name("NAME");
  add_file(app, "--tls-key-log", options.key_log_file, "write the keys there, to debug");
}

}  // namespace examples
