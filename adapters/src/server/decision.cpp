// What an application answers to an upgrade request.
#include "sansock/server.h"

namespace sansock {

Decision Decision::accept(std::string subprotocol, std::vector<std::pair<std::string, std::string>> headers) {
  Decision decision;
  decision.text = std::move(subprotocol);
  decision.headers = std::move(headers);
  return decision;
}

Decision Decision::reject(std::uint16_t status, std::string body,
                          std::vector<std::pair<std::string, std::string>> headers) {
  Decision decision;
  decision.kind = Kind::reject;
  decision.status = status;
  decision.text = std::move(body);
  decision.headers = std::move(headers);
  return decision;
}

Decision Decision::later() {
  Decision decision;
  decision.kind = Kind::later;
  return decision;
}

}  // namespace sansock
