// SPDX-License-Identifier: BSD-3-Clause
//
// live_frames INTERFACE FIRST-DESTINATION DESTINATIONS: sends UDP in frames of 60 bytes out of a
// veth, as fast as one CPU can, until SIGTERM or SIGINT; then prints how many. They do not pass the
// network stack: the kernel makes them for a test run of an XDP program, which redirects them. The
// other end of the veth needs XDP or GRO. Needs root.
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "live_frames.skel.h"

namespace {

std::atomic<bool> stop{false};

// From 192.0.2.1, UDP to port 80; source port, destination and checksum are the program's.
std::array<std::uint8_t, 60> frame_of() {
  std::array<std::uint8_t, 60> frame{0x02, 0, 0, 0, 0, 0x02,  //
                                     0x02, 0, 0, 0, 0, 0x01,  //
                                     0x08, 0};
  const std::array<std::uint8_t, 28> headers{0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0,  192, 0,
                                             2,    1, 0, 0,  0, 0, 4, 0, 0,  80, 0, 26, 0,   0};
  std::memcpy(&frame[14], headers.data(), headers.size());
  return frame;
}

std::uint32_t sum_of(const std::array<std::uint8_t, 60>& frame) {
  std::uint32_t sum = 0;
  for (std::size_t i = 14; i < 34; i += 2)
    sum += static_cast<std::uint32_t>(frame[i] << 8 | frame[i + 1]);
  return sum;
}

int send_until_stopped(live_frames_bpf& skeleton, const std::array<std::uint8_t, 60>& frame) {
  xdp_md context{};
  context.data_end = static_cast<__u32>(frame.size());
  context.ingress_ifindex = 1;  // loopback; any interface of this namespace will do
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(),
              .data_size_in = static_cast<__u32>(frame.size()), .ctx_in = &context,
              .ctx_size_in = sizeof context, .repeat = 200'000, .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
              .batch_size = 64);
  const int program = bpf_program__fd(skeleton.progs.feed);
  while (!stop)
    if (bpf_prog_test_run_opts(program, &options) != 0 && !stop) {
      std::perror("live_frames: the kernel does not run the program");
      return 1;
    }
  std::printf("%" PRIu64 "\n", std::uint64_t{skeleton.bss->sent});
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  in_addr first{};
  unsigned destinations = 0;
  unsigned interface = 0;
  if (argc == 4) {
    const std::string_view count = argv[3];
    std::from_chars(count.data(), count.data() + count.size(), destinations);
    interface = if_nametoindex(argv[1]);
  }
  if (interface == 0 || destinations == 0 || inet_pton(AF_INET, argv[2], &first) != 1) {
    std::fputs("Usage: live_frames INTERFACE FIRST-DESTINATION DESTINATIONS\n", stderr);
    return 2;
  }
  const std::array<std::uint8_t, 60> frame = frame_of();
  live_frames_bpf* const skeleton = live_frames_bpf__open();
  if (skeleton == nullptr) return 1;
  skeleton->rodata->interface = interface;
  skeleton->rodata->first_destination = ntohl(first.s_addr);
  skeleton->rodata->destinations = destinations;
  skeleton->rodata->checksum_without_destination = sum_of(frame);
  if (live_frames_bpf__load(skeleton) != 0) return 1;
  struct sigaction action{};
  action.sa_handler = [](int) { stop = true; };
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  const int status = send_until_stopped(*skeleton, frame);
  live_frames_bpf__destroy(skeleton);
  return status;
}
