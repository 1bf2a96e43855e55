// SPDX-License-Identifier: BSD-3-Clause
//
// xdp_bench: what the XDP program costs a packet beyond one that passes everything. Needs root.
//
// Both are run by the kernel on one frame many times (BPF_PROG_TEST_RUN), in turns, so that what
// the machine does meanwhile meets both; the difference is the median of those of the rounds.
// "spread": every packet has another random destination, which both programs pay for alike.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "dataplane/xdp/options.hpp"
#include "dataplane/xdp/program.hpp"
// Made by bpftool.
#include <spread.skel.h>

namespace {

using dataplane::xdp::make_options;
using dataplane::xdp::Onboarding;
using dataplane::xdp::Outcome;
using dataplane::xdp::PrefixMap;
using dataplane::xdp::Program;
using dataplane::xdp::ProgramOptions;
using Bytes = std::vector<std::uint8_t>;

// Ethernet, IP and 26 bytes more.
Bytes frame_of(std::uint8_t type_high, std::uint8_t type_low, Bytes packet, std::size_t destination,
               auto address) {
  Bytes frame{0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, type_high, type_low};
  packet.resize(destination);
  const auto wire = address.to_wire();
  packet.insert(packet.end(), wire.begin(), wire.end());
  packet.resize(packet.size() + 26);
  frame.insert(frame.end(), packet.begin(), packet.end());
  return frame;
}
Bytes to4(lpm::Address4 destination) {
  return frame_of(0x08, 0x00, {0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17}, 16, destination);
}
Bytes to6(lpm::Address6 destination) {
  return frame_of(0x86, 0xdd, {0x60, 0, 0, 0, 0, 26, 17, 64}, 24, destination);
}
Bytes arp() {
  return frame_of(0x08, 0x06, {}, 24, lpm::Address4{});
}

constexpr unsigned kRounds = 21;
constexpr int kRepeat = 300'000;

int descriptor_or_throw(int descriptor, const char* what) {
  if (descriptor < 0) throw std::runtime_error(std::string("no ") + what + "; run as root");
  return descriptor;
}

// return XDP_PASS
int load_empty() {
  const bpf_insn instructions[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = XDP_PASS},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
  };
  // As the loader gives to programs in a section "xdp": a tail call wants both alike.
  auto options = make_options<bpf_prog_load_opts>();
  options.expected_attach_type = BPF_XDP;
  return descriptor_or_throw(
      bpf_prog_load(BPF_PROG_TYPE_XDP, "empty", "GPL", instructions, 2, &options), "empty program");
}

// Nanoseconds a packet.
double run(int program, const Bytes& frame) {
  auto options = make_options<bpf_test_run_opts>();
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.repeat = kRepeat;
  if (bpf_prog_test_run_opts(program, &options) != 0)
    throw std::runtime_error("the kernel does not run the program");
  // In whole numbers. The time of the call would add that of patching the program in.
  return options.duration;
}

double median(std::vector<double> numbers) {
  std::ranges::sort(numbers);
  return numbers[numbers.size() / 2];
}

struct Case {
  const char* name;
  Bytes frame;
  Outcome outcome;
  // Runs the two programs behind this one; null: as they are.
  bpf_program* spread = nullptr;
};

class Bench {
 public:
  Bench(const Program& program, spread_bpf* spread)
      : program_(program), empty_(load_empty()), spread_(spread) {}

  void measure(const Case& test) {
    const auto before = program_.read_counters()[static_cast<std::size_t>(test.outcome)];
    std::vector<double> empty;
    std::vector<double> ours;
    std::vector<double> difference;
    for (unsigned round = 0; round < kRounds; ++round) {
      empty.push_back(run_behind(test, empty_));
      ours.push_back(run_behind(test, program_.program_descriptor()));
      difference.push_back(ours.back() - empty.back());
    }
    const auto after = program_.read_counters()[static_cast<std::size_t>(test.outcome)];
    const double share = static_cast<double>(after.packets - before.packets) /
                         (static_cast<double>(kRounds) * kRepeat) * 100;
    std::printf("%-52s %-14s %5.1f %% %8.0f %8.0f %8.0f\n", test.name,
                std::string(name_of(test.outcome)).c_str(), share, median(empty), median(ours),
                median(difference));
  }

 private:
  double run_behind(const Case& test, int program) {
    if (test.spread == nullptr) return run(program, test.frame);
    const std::uint32_t zero = 0;
    if (bpf_map_update_elem(bpf_map__fd(spread_->maps.next), &zero, &program, BPF_ANY) != 0)
      throw std::runtime_error("no tail call to a program");
    return run(bpf_program__fd(test.spread), test.frame);
  }

  const Program& program_;
  int empty_;
  spread_bpf* spread_;
};

// 700 IPv4 prefixes and 300 IPv6 ones of as many lengths as are given, none of which contains the
// destinations below; 10 of the host's addresses.
void onboard(PrefixMap& prefixes, const std::vector<unsigned>& lengths6) {
  std::vector<lpm::AnyPrefix> all;
  for (std::uint32_t i = 0; i < 700; ++i)
    all.push_back(lpm::Prefix4::enclosing({0x80000000 + (i << 16)}, 24));
  for (std::uint64_t i = 0; i < 300; ++i)
    all.push_back(lpm::Prefix6::enclosing({0x20010d0000000000 + (i << 36), 0},
                                          lengths6[i % lengths6.size()]));
  std::set<dataplane::xdp::HostAddress> hosts;
  for (std::uint32_t i = 0; i < 5; ++i) {
    hosts.insert(lpm::Address4{0xc0000201 + (i << 8)});
    hosts.insert(lpm::Address6{0x2a00000100000000 + (std::uint64_t{i} << 40), 1});
  }
  if (!prefixes.onboard(all, Onboarding::steered) || !prefixes.set_host_addresses(hosts))
    throw std::runtime_error("the prefixes of the bench are refused");
}

void measure_all(const std::vector<unsigned>& lengths6) {
  PrefixMap prefixes;
  onboard(prefixes, lengths6);
  Program program({.interface = "lo", .attach = ProgramOptions::Attach::generic}, prefixes);
  program.configure({.role = dataplane::Direction::ingress}, dataplane::Policy({}));
  spread_bpf* const spread = spread_bpf::open_and_load();
  if (spread == nullptr) throw std::runtime_error("no spread program; run as root");
  Bench bench(program, spread);
  const Case cases[] = {
      {"ARP", arp(), Outcome::not_ip},
      {"IPv4, not onboarded", to4({0x08080808}), Outcome::unmatched},
      {"IPv4, not onboarded, spread", to4({0x08080808}), Outcome::unmatched, spread->progs.spread4},
      {"IPv4, the host's", to4({0xc0000201}), Outcome::host_address},
      {"IPv4, onboarded (no socket)", to4({0x80010001}), Outcome::no_socket},
      {"IPv6, not onboarded", to6({0x2606470000000000, 1}), Outcome::unmatched},
      {"IPv6, not onboarded, spread", to6({0x2606470000000000, 1}), Outcome::unmatched,
       spread->progs.spread6},
      {"IPv6, not onboarded, but others of its first 24 bits", to6({0x20010dffffff0000, 1}),
       Outcome::unmatched},
      {"IPv6, the host's", to6({0x2a00000100000000, 1}), Outcome::host_address},
      {"IPv6, onboarded (no socket)", to6({0x20010d0000000000, 1}), Outcome::no_socket},
  };
  for (const Case& test : cases) bench.measure(test);
  spread_bpf::destroy(spread);
}

}  // namespace

int main() {
  try {
    if (unshare(CLONE_NEWNET) != 0) throw std::runtime_error("needs root");
    std::printf("ns a packet, median of %u rounds of %d packets; 1,000 prefixes\n", kRounds,
                kRepeat);
    for (const std::vector<unsigned>& lengths6 :
         {std::vector<unsigned>{48}, std::vector<unsigned>{32, 36, 40, 44, 48}}) {
      std::printf("\nIPv6 prefixes of %zu length(s)\n%-52s %-14s %7s %8s %8s %8s\n",
                  lengths6.size(), "packet", "outcome", "", "empty", "program", "more");
      measure_all(lengths6);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "xdp_bench: %s\n", error.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
