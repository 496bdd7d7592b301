// ServerPeer: the opening handshake. Which route a request belongs to, and what it is answered.
#include <algorithm>
#include <limits>

#include "server_peer.h"
#include "server_thread.h"

namespace sansock {
namespace {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

std::vector<Header> views_of(const HeaderList& headers) {
  std::vector<Header> views;
  views.reserve(headers.size());
  for (const auto& [name, value] : headers) views.push_back({name, value});
  return views;
}

constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::uint16_t status_not_found = 404;
constexpr std::uint16_t status_internal_error = 500;

}  // namespace

// Checks what depends on the route, in the order of the answers' precision: is there one (404), does
// it speak this version (426), may this origin use it (403).
void ServerPeer::on_request(Endpoint& endpoint, errc error) {
  const RouteTable& routes = thread_->core().routes;
  const Request& request = *endpoint.request();
  if (error == errc::upgrade_missing) return on_plain_request(endpoint);
  if (error != errc::none) {
    // Without an answer from here the engine sends the one that belongs to the error.
    if (!refuse_with_hook(endpoint, error)) ServerThread::count(thread_->counters().refused);
    return;
  }
  route_ = routes.match_route(request.path());
  if (route_ == RouteTable::none) return refuse(endpoint, errc::rejected, status_not_found);
  if (request.version() == 8 && !route().route.version_8) {
    return refuse(endpoint, errc::version_unsupported, http_status_for(errc::version_unsupported));
  }
  const bool secure = thread_->loop().tls(connection_id()) != nullptr;
  if (!route().origin_allowed(request, secure)) {
    return refuse(endpoint, errc::origin_refused, http_status_for(errc::origin_refused));
  }
  const auto& handler = route().route.on_request;
  if (!handler) {
    if (accept(endpoint, Decision::accept())) endpoint.abort(errc::blocks_exhausted);
    return;
  }
  const Decision decision = handler(*this, request);
  // What can not be sent (a subprotocol that was not offered, a header with a line break) is the
  // application's mistake.
  if (endpoint.state() != ReadyState::connecting || !answer(endpoint, decision)) return;
  respond(endpoint, {.status = status_internal_error, .body = "Internal Server Error\n"}, text_type);
}

// Not an upgrade. RFC 9110 section 15.5.22: 426 where an upgrade would be served.
void ServerPeer::on_plain_request(Endpoint& endpoint) {
  const RouteTable& routes = thread_->core().routes;
  const Request& request = *endpoint.request();
  if (const PageEntry* const page = routes.match_page(request.path())) {
    const Page answer = page->handler(request);
    return respond(endpoint, answer, answer.content_type);
  }
  if (routes.match_route(request.path()) == RouteTable::none) {
    return refuse(endpoint, errc::upgrade_missing, status_not_found);
  }
  if (!refuse_with_hook(endpoint, errc::upgrade_missing)) ServerThread::count(thread_->counters().refused);
}

void ServerPeer::refuse(Endpoint& endpoint, errc cause, std::uint16_t status) {
  if (refuse_with_hook(endpoint, cause)) return;
  ServerThread::count(thread_->counters().refused);
  Page page{.status = status};
  page.body = status == status_not_found ? std::string("Not Found") : std::string(describe(cause));
  page.body += '\n';
  // RFC 6455 section 4.4: the versions that are spoken here.
  if (cause == errc::version_unsupported) page.headers.emplace_back("Sec-WebSocket-Version", "13");
  respond(endpoint, page, text_type);
}

// Whether the application's hook gave an answer of its own.
bool ServerPeer::refuse_with_hook(Endpoint& endpoint, errc cause) {
  const auto& hook = thread_->core().refusal_hook;
  if (!hook) return false;
  const Request* request = endpoint.request();
  if (request != nullptr && request->start_line().empty()) request = nullptr;
  const std::optional<Page> page = hook(cause, request);
  if (!page) return false;
  ServerThread::count(thread_->counters().refused);
  respond(endpoint, *page, page->content_type);
  return true;
}

void ServerPeer::respond(Endpoint& endpoint, const Page& page, std::string_view content_type) {
  const std::vector<Header> headers = views_of(page.headers);
  const HttpResponse response{
      .status = page.status, .headers = headers, .content_type = content_type, .body = as_bytes(page.body)};
  if (!endpoint.respond(response)) return;
  const HttpResponse failure{.status = status_internal_error, .body = as_bytes("Internal Server Error\n")};
  if (endpoint.respond(failure)) endpoint.abort(errc::blocks_exhausted);
}

// On error nothing was answered.
std::error_code ServerPeer::answer(Endpoint& endpoint, const Decision& decision) {
  switch (decision.kind) {
    case Decision::Kind::later: return {};
    case Decision::Kind::accept: return accept(endpoint, decision);
    case Decision::Kind::reject: break;
  }
  const std::vector<Header> headers = views_of(decision.headers);
  const HttpResponse response{.status = decision.status, .headers = headers, .body = as_bytes(decision.text)};
  const std::error_code error = endpoint.respond(response);
  if (!error) ServerThread::count(thread_->counters().refused);
  return error;
}

std::error_code ServerPeer::accept(Endpoint& endpoint, const Decision& decision) {
  const Request* const request = endpoint.request();
  if (request == nullptr || route_ == RouteTable::none) return errc::no_request;
  const std::vector<Header> headers = views_of(decision.headers);
  AcceptOptions options;
  options.subprotocol =
      decision.text.empty() ? route().select_subprotocol(*request) : std::string_view(decision.text);
  options.headers = headers;
  options.config = &thread_->config(route_);
  const std::error_code error = endpoint.accept(options);
  if (!error) keep_subprotocol(options.subprotocol);
  return error;
}

void ServerPeer::keep_subprotocol(std::string_view selected) {
  if (selected.empty()) return;
  const auto& own = route().route.subprotocols;
  const auto found = std::find(own.begin(), own.end(), selected);
  const auto index = found - own.begin();
  if (found != own.end() && index < subprotocol_in_extra) {
    subprotocol_ = static_cast<std::uint8_t>(index);
  } else {
    subprotocol_ = subprotocol_in_extra;
    extra().subprotocol = selected;
  }
}

}  // namespace sansock
