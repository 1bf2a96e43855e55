// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "control/api/operations.hpp"
#include "lpm/prefix.hpp"

namespace control::api {

// The query parameters of a request to an operation of steer's own, each asked for by its name.
// Empty results: it is not there, or it is wrong, which is noted. What nobody asked for is wrong
// too: a filter that is misspelt would otherwise be none.
class Parameters {
 public:
  // job: outlives this.
  explicit Parameters(const Job& job) : query_(job.route.query) {}

  using AnyAddress = std::variant<lpm::Address4, lpm::Address6>;

  [[nodiscard]] const std::string* text(std::string_view key);
  // One that there may be: letters, digits and -.
  [[nodiscard]] std::optional<std::string> account();
  [[nodiscard]] std::optional<lpm::AnyPrefix> cidr(std::string_view key);
  [[nodiscard]] std::optional<AnyAddress> address(std::string_view key);
  [[nodiscard]] std::optional<dataplane::Service> service(std::string_view key);
  [[nodiscard]] std::optional<std::uint64_t> whole(std::string_view key, std::uint64_t min,
                                                   std::uint64_t max);
  // Which of these words it is.
  [[nodiscard]] std::optional<std::size_t> one_of(std::string_view key,
                                                  std::initializer_list<std::string_view> words);
  [[nodiscard]] std::optional<bool> boolean(std::string_view key);
  void refuse(std::string message);

  // 400 with all that is wrong, after everything was asked for.
  [[nodiscard]] std::optional<Error> error();

 private:
  const std::map<std::string, std::string, std::less<>>& query_;
  std::set<std::string_view> known_;
  Error error_{400, {}};
};

}  // namespace control::api
