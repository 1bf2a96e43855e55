// SPDX-License-Identifier: BSD-3-Clause
//
// Any bytes as the body of each request that has one. The first line is the method and path, as
// control/api/route.cpp has them ("POST /steer/v1/tokens"); where it is none of those, its first
// byte chooses. Every value of a path is that of something that is there.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/api_world.hpp"

namespace {

using control::api::Endpoint;
using control::api::Method;

constexpr std::size_t kBytesMax = 65536;

std::string name_of(const Endpoint& endpoint) {
  return std::string(control::api::name_of(endpoint.method)) + " " + std::string(endpoint.path);
}

std::vector<const Endpoint*> with_body() {
  std::vector<const Endpoint*> all;
  for (const Endpoint& endpoint : control::api::endpoints())
    if (endpoint.method != Method::get && endpoint.method != Method::del) all.push_back(&endpoint);
  return all;
}

const Endpoint& chosen(std::string_view line) {
  static const auto kAll = with_body();
  for (const Endpoint* const endpoint : kAll)
    if (name_of(*endpoint) == line) return *endpoint;
  const auto first = line.empty() ? 0U : static_cast<unsigned char>(line.front());
  return *kAll[first % kAll.size()];
}

std::string target_of(const Endpoint& endpoint) {
  std::string target(endpoint.path);
  for (const auto& [name, value] : {std::pair{"{account}", fuzz::kAccount},
                                    {"{prefix}", fuzz::kPrefixId},
                                    {"{binding}", fuzz::kBindingId},
                                    {"{token}", "1"}})
    if (const std::size_t at = target.find(name); at != std::string::npos)
      target.replace(at, std::string_view(name).size(), value);
  return target;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kBytesMax) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view line = text.substr(0, text.find('\n'));
  const Endpoint& endpoint = chosen(line);
  const bool is_administrators = endpoint.right == control::api::Right::administer;
  control::api::Request request;
  request.method = endpoint.method;
  request.target = target_of(endpoint);
  // Whom it comes from: the Unix socket, a token of one account, a token of all.
  request.is_local = is_administrators;
  if (!is_administrators)
    request.authorization =
        std::string("Bearer ") + (size % 2 == 0 ? fuzz::kWriter : fuzz::kAnyAccount);
  if (line.size() < text.size()) request.body = text.substr(line.size() + 1);
  fuzz::world().answer(std::move(request));
  return 0;
}
