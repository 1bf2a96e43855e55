// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <xdp/xsk.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "dataplane/xdp/options.hpp"
#include "dataplane/xdp/program.hpp"
#include "tests/support/packets.hpp"

namespace xdp_test {

namespace xdp = dataplane::xdp;

// Throws where the command fails: a test that cannot be set up is none.
inline void shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

// Moves the process into a network namespace of its own, in which `lo` is up. False without the
// privileges for that and for BPF.
inline bool enter_namespace() {
  const int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "probe", 4, 4, 1, nullptr);
  if (map < 0) return false;
  close(map);
  if (unshare(CLONE_NEWNET) != 0) return false;
  shell("ip link set lo up");
  return true;
}

class XdpTest : public testing::Test {
 protected:
  void SetUp() override {
    static const bool kIsPrivileged = enter_namespace();
    if (!kIsPrivileged)
      GTEST_SKIP() << "skipped: needs root (CAP_BPF, CAP_NET_ADMIN, CAP_SYS_ADMIN)";
  }
};

// An AF_XDP socket of libxdp on queue 0, as DPDK makes it. Its owner may never read it.
class Socket {
 public:
  explicit Socket(const std::string& interface) {
    area_ = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area_ == MAP_FAILED) throw std::bad_alloc();
    int error = xsk_umem__create(&umem_, area_, kBytes, &fill_, &completion_, nullptr);
    if (error != 0) throw std::runtime_error("no umem: error " + std::to_string(error));
    const xsk_socket_config config{.rx_size = kFrames,
                                   .tx_size = kFrames,
                                   .libxdp_flags = 0,
                                   .xdp_flags = 0,
                                   .bind_flags = XDP_COPY};
    error = xsk_socket__create(&socket_, interface.c_str(), 0, umem_, &received_, nullptr, &config);
    if (error != 0) throw std::runtime_error("no AF_XDP socket: error " + std::to_string(error));
    std::uint32_t first = 0;
    if (xsk_ring_prod__reserve(&fill_, kFrames, &first) != kFrames)
      throw std::runtime_error("the fill ring is too small");
    for (std::uint32_t i = 0; i < kFrames; ++i)
      *xsk_ring_prod__fill_addr(&fill_, first + i) = std::uint64_t{i} * kFrameBytes;
    xsk_ring_prod__submit(&fill_, kFrames);
  }
  ~Socket() {
    xsk_socket__delete(socket_);
    xsk_umem__delete(umem_);
    munmap(area_, kBytes);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Frames that came and were not taken out.
  [[nodiscard]] std::uint32_t waiting() noexcept { return xsk_cons_nb_avail(&received_, kFrames); }

 private:
  static constexpr std::uint32_t kFrames = 1024;
  static constexpr std::size_t kFrameBytes = XSK_UMEM__DEFAULT_FRAME_SIZE;
  static constexpr std::size_t kBytes = kFrames * kFrameBytes;

  void* area_ = nullptr;
  xsk_umem* umem_ = nullptr;
  xsk_socket* socket_ = nullptr;
  xsk_ring_prod fill_{};
  xsk_ring_cons completion_{};
  xsk_ring_cons received_{};
};

// Options for running a program on one frame.
inline bpf_test_run_opts run_of(const support::Bytes& frame, int repeat) {
  auto options = xdp::make_options<bpf_test_run_opts>();
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.repeat = repeat;
  return options;
}

// Gives frames to the program without a wire and tells what became of each.
class Runner {
 public:
  explicit Runner(const xdp::Program& program)
      : program_(program), before_(program.read_counters()) {}

  // nullopt, and a failure of the test, where not exactly one counter counted the frame, or the
  // program's action contradicts it.
  std::optional<xdp::Outcome> run(const support::Bytes& frame) {
    bpf_test_run_opts options = run_of(frame, 1);
    const int error = bpf_prog_test_run_opts(program_.program_descriptor(), &options);
    if (error != 0) {
      ADD_FAILURE() << "the kernel runs no frame of " << frame.size() << " bytes: " << error;
      return std::nullopt;
    }
    const xdp::OutcomeVolumes after = program_.read_counters();
    std::optional<xdp::Outcome> outcome;
    unsigned counted = 0;
    for (std::size_t i = 0; i < xdp::kOutcomes; ++i) {
      if (after[i] == before_[i]) continue;
      ++counted;
      outcome = static_cast<xdp::Outcome>(i);
      EXPECT_EQ(after[i].packets - before_[i].packets, 1U);
      EXPECT_EQ(after[i].bytes - before_[i].bytes, frame.size());
    }
    before_ = after;
    EXPECT_EQ(counted, 1U);
    const bool is_redirected = outcome == xdp::Outcome::redirected;
    EXPECT_EQ(options.retval, is_redirected ? XDP_REDIRECT : XDP_PASS);
    return outcome;
  }

 private:
  const xdp::Program& program_;
  xdp::OutcomeVolumes before_;
};

inline std::string name_of(std::optional<xdp::Outcome> outcome) {
  return outcome ? std::string(xdp::name_of(*outcome)) : "none";
}

}  // namespace xdp_test
