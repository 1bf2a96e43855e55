// SPDX-License-Identifier: BSD-3-Clause
#include "control/http/server.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/control/http/served.hpp"

namespace {

using namespace http_test;

class HttpServer : public HttpTest {};

TEST_F(HttpServer, AnswersByTcpAndByUnixSocket) {
  serve();
  Client tcp(port_);
  const std::string response = tcp.ask(request("GET", prefixes()));
  EXPECT_EQ(status_of(response), 200U) << response;
  EXPECT_NE(response.find("\r\nContent-Type: application/json\r\n"), std::string::npos) << response;
  EXPECT_EQ(body_of(response).at("result"), json::array());
  // Kept alive; several requests sent at once are answered in their order.
  tcp.send(request("POST", prefixes(), R"({"cidr": "203.0.113.0/24", "asn": 1})") +
           request("GET", prefixes()) + request("GET", "/nowhere"));
  EXPECT_EQ(status_of(tcp.receive()), 201U);
  EXPECT_EQ(body_of(tcp.receive()).at("result").size(), 1U);
  EXPECT_EQ(status_of(tcp.receive()), 404U);

  Client local((scratch_ / "api.sock").string());
  EXPECT_EQ(status_of(local.ask("GET " + prefixes() + " HTTP/1.1\r\nHost: x\r\n\r\n")), 200U)
      << "the mode of the socket says who may use it";
  struct stat about{};
  ASSERT_EQ(stat((scratch_ / "api.sock").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
  Client nobody(port_);
  const std::string refused = nobody.ask("GET " + prefixes() + " HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(status_of(refused), 401U);
  EXPECT_EQ(body_of(refused).at("errors").at(0).at("code"), 10000);
}

TEST_F(HttpServer, TellsClientsWhetherToTryAgain) {
  serve();
  Client client(port_);
  const std::string body = R"({"cidr": "203.0.113.0/24", "asn": 1})";
  EXPECT_EQ(status_of(client.ask(request("POST", prefixes(), body))), 201U);
  const std::string conflict = client.ask(request("POST", prefixes(), body));
  EXPECT_EQ(status_of(conflict), 409U);
  EXPECT_NE(conflict.find("x-should-retry: false\r\n"), std::string::npos) << conflict;
  EXPECT_EQ(
      status_of(client.ask(request("POST", prefixes(), body, "X-Stainless-Retry-Count: 1\r\n"))),
      201U);
  const std::string wrong = client.ask(request("DELETE", prefixes()));
  EXPECT_EQ(status_of(wrong), 405U);
  EXPECT_NE(wrong.find("Allow: GET, POST\r\n"), std::string::npos) << wrong;
}

TEST_F(HttpServer, TakesTheCredentialsOfEveryClient) {
  serve();
  Client client(port_);
  const std::string head = "GET " + prefixes() + " HTTP/1.1\r\nHost: x\r\n";
  const std::string key = std::string("X-Auth-Email: a@b\r\nX-Auth-Key: ") + kWriter + "\r\n";
  EXPECT_EQ(status_of(client.ask(head + key + "\r\n")), 200U);
  EXPECT_EQ(status_of(client.ask(head + "authorization: bEaReR " + kWriter + "\r\n\r\n")), 200U);
  EXPECT_EQ(status_of(client.ask(head + "Authorization: Basic x\r\n" + key + "\r\n")), 200U)
      << "v7 sends every credential that it has";
  EXPECT_EQ(status_of(client.ask(head + "Authorization: Bearer wrong\r\n" + key + "\r\n")), 401U);
}

TEST_F(HttpServer, RefusesWhatTwoPartiesCouldReadDifferently) {
  serve();
  const std::string bearer = std::string("Authorization: Bearer ") + kWriter + "\r\n";
  const std::string target = prefixes();
  const auto post = [&](std::string_view rest) {
    return fmt::format("POST {} HTTP/1.1\r\nHost: a\r\n{}{}", target, bearer, rest);
  };
  for (const std::string& wrong : {
           fmt::format("GET {} HTTP/1.1\r\n{}\r\n", target, bearer),
           fmt::format("GET {} HTTP/1.1\r\nHost: a\r\nHost: b\r\n{}\r\n", target, bearer),
           post("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
           post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
           post("Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
           post("Content-Length: -1\r\n\r\n"),
           post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
           post("Transfer-Encoding: identity\r\n\r\n"),
           post("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
           fmt::format("POST {} HTTP/1.0\r\nHost: a\r\n{}Connection: keep-alive\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                       target, bearer),
           fmt::format("GET {}\x01 HTTP/1.1\r\nHost: a\r\n{}\r\n", target, bearer),
           std::string("nonsense\r\n\r\n"),
           fmt::format("GET {} HTTP/3.0\r\nHost: a\r\n\r\n", target),
           fmt::format("GET {} HTTP/1.1\r\nHost : a\r\n{}\r\n", target, bearer),
       }) {
    Client client(port_);
    const std::string response = client.ask(wrong);
    EXPECT_EQ(status_of(response), 400U) << wrong << "\n" << response;
    EXPECT_GE(body_of(response).at("errors").at(0).at("code"), 1000) << response;
    EXPECT_TRUE(client.is_ended()) << wrong;
  }
}

TEST_F(HttpServer, ARequestInABodyOfAnotherEncodingIsNotCarriedOut) {
  serve();
  const std::string target = prefixes();
  const std::string made =
      Client(port_).ask(request("POST", target, R"({"cidr": "203.0.113.0/24", "asn": 1})"));
  ASSERT_EQ(status_of(made), 201U) << made;
  const std::string id = body_of(made).at("result").at("id");
  Client client(port_);
  client.send("POST " + target + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + kWriter +
              "\r\nTransfer-Encoding: chunked, identity\r\n\r\n" +
              request("DELETE", target + "/" + id));
  EXPECT_EQ(status_of(client.receive()), 400U);
  EXPECT_TRUE(client.is_ended());
  EXPECT_EQ(status_of(Client(port_).ask(request("GET", target + "/" + id))), 200U);
}

TEST_F(HttpServer, LimitsHeadersAndBodies) {
  serve();
  const std::string long_field = "X-Long: " + std::string(20'000, 'x') + "\r\n";
  EXPECT_EQ(status_of(Client(port_).ask(request("GET", prefixes(), "", long_field))), 431U);
  const std::string large(2'000'000, ' ');
  Client client(port_);
  const std::string refused = client.ask(request("POST", prefixes(), large));
  EXPECT_EQ(status_of(refused), 413U);
  EXPECT_EQ(body_of(refused).at("errors").at(0).at("code"), 1413);
  // In pieces, whose sum is not told beforehand.
  Client pieces(port_);
  pieces.send("POST " + prefixes() + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + kWriter +
              "\r\nTransfer-Encoding: chunked\r\n\r\n1e8480\r\n" + large + "\r\n0\r\n\r\n");
  const std::string too_long = pieces.receive();
  EXPECT_EQ(status_of(too_long), 413U);
  EXPECT_NE(too_long.find("at most 1048576 bytes"), std::string::npos) << too_long;
  EXPECT_EQ(status_of(Client(port_).ask(request("GET", prefixes(), std::string(70'000, ' ')))),
            413U)
      << "where nobody looks at it";
  // Nobody is told 401 and how much somebody may send.
  EXPECT_EQ(status_of(Client(port_).ask("POST " + prefixes() +
                                        " HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n")),
            401U);
}

TEST_F(HttpServer, TakesLargerBodiesOfChangeSetsAlone) {
  serve();
  const std::string large = std::string(2'000'000, ' ') + R"({"changes":[]})";
  const std::string read = Client(port_).ask(request("POST", "/steer/v1/changes", large));
  EXPECT_EQ(status_of(read), 400U);
  EXPECT_EQ(body_of(read).at("errors").at(0).at("message"), "changes must not be empty");
  Client client(port_);
  client.send(std::string("POST /steer/v1/changes HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ") +
              kWriter + "\r\nContent-Length: 67108865\r\n\r\n");
  EXPECT_NE(client.receive().find("at most 67108864 bytes"), std::string::npos);
}

TEST_F(HttpServer, NamesTheGenerationAsTheETagAndTakesItBack) {
  serve();
  const std::string status = Client(port_).ask(request("GET", "/steer/v1/status"));
  const auto generation = body_of(status).at("result").at("generation").get<std::uint64_t>();
  EXPECT_NE(status.find("ETag: \"" + std::to_string(generation) + "\"\r\n"), std::string::npos)
      << status;
  const std::string add =
      R"({"changes":[{"op":"add_prefix","cidr":"198.51.100.0/24","service":"cdn"}]})";
  const auto changed = [&](std::uint64_t match) {
    return Client(port_).ask(request("POST", "/steer/v1/changes", add,
                                     "If-Match: \"" + std::to_string(match) + "\"\r\n"));
  };
  EXPECT_EQ(status_of(changed(generation + 1)), 412U);
  EXPECT_EQ(status_of(changed(generation)), 200U);
}

TEST_F(HttpServer, TakesBodiesInPiecesAndAfterAskingFirst) {
  serve();
  const std::string head =
      "POST " + prefixes() + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + kWriter + "\r\n";
  Client pieces(port_);
  EXPECT_EQ(status_of(pieces.ask(head + "Transfer-Encoding: chunked\r\n\r\n"
                                        "a\r\n{\"cidr\": \"\r\n"
                                        "1a\r\n203.0.113.0/24\", \"asn\": 1}\r\n0\r\n\r\n")),
            201U);
  Client polite(port_);
  const std::string body = R"({"cidr": "198.51.100.0/24", "asn": 1})";
  polite.send(head + "Expect: 100-continue\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n");
  EXPECT_EQ(polite.receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(status_of(polite.ask(body)), 201U);
}

TEST_F(HttpServer, EndsConnectionsThatAreIdleOrSlow) {
  limits_.idle_time = std::chrono::milliseconds(200);
  serve();
  Client idle(port_);
  Client slow_head(port_);
  slow_head.send("GET / HT");
  Client slow_body(port_);
  slow_body.send("POST " + prefixes() + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + kWriter +
                 "\r\nContent-Length: 10\r\n\r\n{");
  EXPECT_TRUE(idle.is_ended());
  EXPECT_TRUE(slow_head.is_ended());
  EXPECT_TRUE(slow_body.is_ended());
}

TEST_F(HttpServer, TheLongestIdleGivesWayWhereThereAreTooMany) {
  limits_.connections_max = 10;
  serve();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 30; ++i) clients.push_back(std::make_unique<Client>(port_));
  EXPECT_EQ(status_of(clients.back()->ask(request("GET", prefixes()))), 200U);
  EXPECT_TRUE(clients.front()->is_ended());
  EXPECT_LE(on_control([&] { return server_->connections(); }), 10U);
}

TEST_F(HttpServer, WhoNeverSendsTheBodyDoesNotKeepOthersOut) {
  limits_.connections_max = 10;
  serve();
  const std::string head = "POST " + prefixes() + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n";
  const std::string bearer = std::string("Authorization: Bearer ") + kWriter + "\r\n";
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(std::make_unique<Client>(port_));
    clients.back()->send(head + (i % 2 == 0 ? bearer : "") + "\r\n");
    if (i % 2 == 0) continue;
    const std::string refused = clients.back()->receive();
    EXPECT_EQ(status_of(refused), 401U) << refused;
    EXPECT_NE(refused.find("Connection: close\r\n"), std::string::npos) << refused;
  }
  EXPECT_EQ(status_of(Client(port_).ask(request("GET", prefixes()))), 200U);
}

TEST_F(HttpServer, TheUnixSocketHasConnectionsOfItsOwn) {
  limits_.connections_max = 0;
  serve();
  EXPECT_EQ(status_of(Client((scratch_ / "api.sock").string())
                          .ask("GET " + prefixes() + " HTTP/1.1\r\nHost: x\r\n\r\n")),
            200U);
}

TEST_F(HttpServer, AnswersBesideFiveThousandIdleAndSlowConnections) {
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  constexpr rlim_t kNeeded = 10'500;  // both ends
  files.rlim_cur = std::max(files.rlim_cur, kNeeded);
  files.rlim_max = std::max(files.rlim_max, kNeeded);  // root may raise it
  if (setrlimit(RLIMIT_NOFILE, &files) != 0)
    GTEST_SKIP() << "needs " << kNeeded << " file descriptors";
  serve();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 5000; ++i) {
    clients.push_back(std::make_unique<Client>(port_));
    ASSERT_TRUE(clients.back()->is_connected()) << i;
    if (i % 2 == 0) clients.back()->send("GET /client/v4/acc");
  }
  Client client(port_);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(status_of(client.ask(request("GET", prefixes()))), 200U);
  EXPECT_EQ(on_control([&] { return server_->connections(); }), 5001U);
}

TEST_F(HttpServer, SurvivesClientsThatGoAwayAtAnyMoment) {
  serve();
  const std::string whole = request("POST", prefixes(), R"({"cidr": "203.0.113.0/24", "asn": 1})");
  for (std::size_t bytes = 0; bytes <= whole.size(); ++bytes)
    Client(port_).send(whole.substr(0, bytes));
  EXPECT_EQ(status_of(Client(port_).ask(request("GET", prefixes()))), 200U);
}

TEST_F(HttpServer, ListensBeyondLoopbackByTlsAlone) {
  boost::asio::io_context control(1);
  const std::vector<control::http::Endpoint> anywhere{
      {.address = "0.0.0.0", .port = 0, .path = {}}};
  try {
    const control::http::Server server(control, *api_, anywhere, {}, {}, [](const std::string&) {});
    FAIL() << "it listens in the clear";
  } catch (const control::http::ServerError& error) {
    EXPECT_STREQ(error.what(),
                 "api: 0.0.0.0 port 0 is not loopback: listening there needs TLS; give a "
                 "certificate and its key");
  }
}

TEST_F(HttpServer, SpeaksTls) {
  tls_ = {.certificate = scratch_ / "cert.pem", .key = scratch_ / "key.pem"};
  const auto made = support::run({"/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048",
                                  "-nodes", "-subj", "/CN=steer", "-days", "1", "-keyout",
                                  tls_.key.string(), "-out", tls_.certificate.string()});
  ASSERT_EQ(made.status, 0) << made.error;
  serve();
  const auto got = support::run({"/usr/bin/curl", "-s", "--max-time", "10", "--cacert",
                                 tls_.certificate.string(), "--resolve",
                                 "steer:" + std::to_string(port_) + ":127.0.0.1", "-H",
                                 std::string("Authorization: Bearer ") + kWriter,
                                 "https://steer:" + std::to_string(port_) + prefixes()});
  EXPECT_EQ(got.status, 0) << got.error;
  EXPECT_EQ(json::parse(got.out).at("result"), json::array());
  Client clear(port_);
  EXPECT_EQ(status_of(clear.ask(request("GET", prefixes()))), 0U);
}

}  // namespace
