// SPDX-License-Identifier: BSD-3-Clause
//
// The floor under every replay of a capture: libpcap reads it, and nobody does anything with the
// packets but count them.
#include <pcap/pcap.h>

#include <cstdint>
#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: libpcap_loop CAPTURE\n");
    return 2;
  }
  char error[PCAP_ERRBUF_SIZE] = "";
  pcap_t* const pcap = pcap_open_offline(argv[1], error);
  if (pcap == nullptr) {
    std::fprintf(stderr, "libpcap_loop: %s\n", error);
    return 1;
  }
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  std::uint64_t packets = 0;
  std::uint64_t wire_bytes = 0;
  while (pcap_next_ex(pcap, &header, &bytes) == 1) {
    ++packets;
    wire_bytes += header->len;
  }
  std::printf("%llu packets, %llu bytes\n", static_cast<unsigned long long>(packets),
              static_cast<unsigned long long>(wire_bytes));
  pcap_close(pcap);
  return 0;
}
