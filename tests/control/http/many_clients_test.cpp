// SPDX-License-Identifier: BSD-3-Clause
//
// Many clients at once, over HTTP: what was acknowledged happened, in one order that explains it
// all.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/control/http/served.hpp"
#include "tests/control/naive_bindings.hpp"
#include "tests/support/seed.hpp"

namespace {

using namespace http_test;

constexpr unsigned kClients = 50;
constexpr unsigned kRequestsOfEach = 60;
constexpr const char* kPrefix = "203.0.113.0/24";

lpm::AnyPrefix cidr_of(const std::string& text) {
  return lpm::parse_prefix(text).value();
}

// The ids that anybody has heard of, right or stale.
class Ids {
 public:
  void put(const std::string& cidr, const std::string& id) {
    const std::lock_guard lock(mutex_);
    ids_[cidr] = id;
  }
  std::string get(const std::string& cidr) const {
    const std::lock_guard lock(mutex_);
    const auto found = ids_.find(cidr);
    return found == ids_.end() ? std::string() : found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> ids_;  // under mutex_
};

struct Entry {
  std::uint64_t generation;
  std::string who;
  std::string what;
};

class ManyClients : public HttpTest {
 protected:
  using Line = std::string;  // as the history has it

  // What one client did, in its order.
  struct Done {
    std::vector<Line> acknowledged;
    unsigned refused = 0;
    std::string wrong;
  };

  static std::string ask_as(Client& client, const std::string& token, const std::string& method,
                            const std::string& target, const std::string& body) {
    return client.ask(
        fmt::format("{} {} HTTP/1.1\r\nHost: steer\r\nAuthorization: Bearer {}\r\nX-Steer-Allow: "
                    "mass-change\r\n"
                    "Content-Length: {}\r\n\r\n{}",
                    method, target, token, body.size(), body));
  }

  static Line line_of(char sign, const std::string& cidr, const std::string& service) {
    return fmt::format("{}binding {} {} in {}\n", sign, cidr, service, kPrefix);
  }

  // Blocks over one another, so that what one client does is in the way of others.
  static std::string random_block(std::mt19937_64& random) {
    const unsigned at = support::random_below(random, 8U) * 8;
    constexpr std::array kLengths{28U, 30U, 32U, 32U};
    const unsigned length = kLengths[support::random_below(random, kLengths.size())];
    return fmt::format("203.0.113.{}/{}", at / (1U << (32 - length)) * (1U << (32 - length)),
                       length);
  }

  void create(Client& client, const std::string& token, std::mt19937_64& random, Done& done) {
    const bool is_cdn = support::random_below(random, 2U) == 0;
    const std::string cidr = random_block(random);
    const std::string response = ask_as(client, token, "POST", bindings(prefix_),
                                        binding_body(cidr, is_cdn ? kCdn : kSpectrum));
    const unsigned status = status_of(response);
    if (status == 201) {
      done.acknowledged.push_back(line_of('+', cidr, is_cdn ? "cdn" : "spectrum"));
      ids_.put(cidr, body_of(response).at("result").at("id"));
    } else if (status == 400 || status == 409) {
      ++done.refused;
    } else {
      done.wrong = response.empty() ? "no response" : response;
    }
  }

  void remove(Client& client, const std::string& token, std::mt19937_64& random, Done& done) {
    const std::string cidr = random_block(random);
    const std::string id = ids_.get(cidr);
    if (id.empty()) return;
    const std::string path = bindings(prefix_) + "/" + id;
    // Its service, for the comparison; it is that of the id for good, as nobody changes services.
    const std::string seen = ask_as(client, token, "GET", path, "");
    if (status_of(seen) == 404) return;
    const std::string response = ask_as(client, token, "DELETE", path, "");
    const unsigned status = status_of(response);
    if (status == 200) {
      const bool is_cdn = body_of(seen).at("result").at("service_name") == "CDN";
      done.acknowledged.push_back(line_of('-', cidr, is_cdn ? "cdn" : "spectrum"));
    } else if (status == 400 || status == 404) {
      ++done.refused;
    } else {
      done.wrong = response.empty() ? "no response" : response;
    }
  }

  Done work(const std::string& token, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    Client client(port_);
    Done done;
    for (unsigned i = 0; i < kRequestsOfEach && done.wrong.empty(); ++i)
      if (support::random_below(random, 5U) < 3)
        create(client, token, random, done);
      else
        remove(client, token, random, done);
    return done;
  }

  // By the Unix socket, oldest first.
  std::vector<Entry> history() {
    std::vector<Entry> all;
    Client local((scratch_ / "api.sock").string());
    std::uint64_t below = ~std::uint64_t{0} >> 1;
    for (;;) {
      const json page = body_of(local.ask(fmt::format(
          "GET /steer/v1/history?limit=1000&below={} HTTP/1.1\r\nHost: x\r\n\r\n", below)));
      if (page.at("result").empty()) break;
      for (const json& row : page.at("result"))
        all.push_back({row.at("generation"), row.at("who"), row.at("what")});
      below = all.back().generation;
    }
    std::ranges::reverse(all);
    return all;
  }

  // One line of the history as a change; nullopt: it is about no binding.
  static std::optional<control::Change> change_of(const Line& line) {
    std::istringstream words(line);
    std::string kind;
    std::string cidr;
    std::string service;
    std::string in;
    std::string prefix;
    words >> kind >> cidr;
    if (kind == "+prefix") return control::Change::add_prefix(cidr_of(cidr));
    words >> service >> in >> prefix;
    const auto at = [&] { return control::Change::At{cidr_of(prefix), cidr_of(cidr)}; };
    if (kind == "-binding") return control::Change::remove_binding(at());
    if (kind != "+binding") return std::nullopt;
    return control::Change::add_binding(at(), dataplane::service_named(service));
  }

  std::string make_token(unsigned number) {
    const std::string body =
        json{{"role", "write"}, {"account", kAccount}, {"name", fmt::format("client-{}", number)}}
            .dump();
    Client local((scratch_ / "api.sock").string());
    return body_of(local.ask(fmt::format(
                       "POST /steer/v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}",
                       body.size(), body)))
        .at("result")
        .at("token");
  }

  std::string prefix_;
  Ids ids_;
};

TEST_F(ManyClients, WhatFiftyDoAtOnceIsOneSerialOrderOfWhatWasAcknowledged) {
  prefix_ = make_prefix(kPrefix);
  make_binding(prefix_, kPrefix, kMagicTransit);
  serve();
  std::mt19937_64 random = support::seeded_random();
  std::vector<std::string> tokens;
  for (unsigned i = 0; i < kClients; ++i) tokens.push_back(make_token(i));

  std::vector<Done> done(kClients);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kClients; ++i)
    threads.emplace_back([&, i, seed = random()] { done[i] = work(tokens[i], seed); });
  for (std::thread& thread : threads) thread.join();

  // Each client's acknowledged changes are in the history, once, in its order, and nothing else is.
  const std::vector<Entry> order = history();
  std::map<std::string, std::vector<Line>> by_client;
  NaiveBindings oracle;
  std::uint64_t generation = 0;
  for (const Entry& entry : order) {
    EXPECT_EQ(entry.generation, generation + 1) << "a generation is missing";
    generation = entry.generation;
    if (entry.who.starts_with("client-")) by_client[entry.who].push_back(entry.what);
    const auto change = change_of(entry.what);
    if (change) {
      EXPECT_TRUE(oracle.apply(std::array{*change}))
          << "generation " << entry.generation << " was not allowed then: " << entry.what;
    }
  }
  std::size_t acknowledged = 0;
  unsigned refused = 0;
  for (unsigned i = 0; i < kClients; ++i) {
    EXPECT_EQ(done[i].wrong, "");
    EXPECT_EQ(by_client[fmt::format("client-{}", i)], done[i].acknowledged) << "client " << i;
    acknowledged += done[i].acknowledged.size();
    refused += done[i].refused;
  }
  std::printf("%zu changes acknowledged, %u refused\n", acknowledged, refused);
  EXPECT_GT(acknowledged, 300U) << "they were all refused";
  EXPECT_GT(refused, 50U) << "none was in another's way";

  stop_serving();
  EXPECT_TRUE(oracle.equals(steering_.in_force)) << "the table is not what that order leads to";
  expect_store_equals_table();
}

}  // namespace
