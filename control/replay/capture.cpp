// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/capture.hpp"

#include <fmt/format.h>
#include <stdio_ext.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace control::replay {
namespace {

// Larger than stdio's: a read of 256 KiB costs little more than one of 4 KiB and stays in the L2
// cache until libpcap has copied out of it.
constexpr std::size_t kBufferBytes = std::size_t{256} * 1024;

// The number that the file has for a link type, where libpcap has another for programs.
int link_type_in_file(int type) {
  switch (type) {
    case DLT_ATM_RFC1483:
      return 100;
    case DLT_RAW:
      return 101;
    case DLT_SLIP_BSDOS:
      return 102;
    case DLT_PPP_BSDOS:
      return 103;
    default:
      return type;
  }
}

std::string describe_link_type(int type) {
  const char* const name = pcap_datalink_val_to_name(type);
  const char* const description = pcap_datalink_val_to_description(type);
  const int number = link_type_in_file(type);
  if (name == nullptr || description == nullptr) return fmt::format("link type {}", number);
  return fmt::format("link type {} ({}, {})", number, name, description);
}

// The first byte that the file has, without taking it; EOF if it has none.
int peek(std::FILE* file) noexcept {
  const int byte = std::getc(file);
  if (byte != EOF) std::ungetc(byte, file);
  return byte;
}

}  // namespace

std::expected<Capture, std::string> Capture::open(const std::string& path) {
  if (path == "-") return open(stdin, "standard input");
  std::FILE* const file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr)
    return std::unexpected(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
  return open(file, path);
}

std::expected<Capture, std::string> Capture::open(std::FILE* file, const std::string& name) {
  Capture capture;
  capture.buffer_ = std::make_unique_for_overwrite<char[]>(kBufferBytes);
  std::setvbuf(file, capture.buffer_.get(), _IOFBF, kBufferBytes);
  // One thread reads it; a lock for each of libpcap's two reads a packet is a fifth of the time.
  __fsetlocking(file, FSETLOCKING_BYCALLER);
  struct stat status{};
  const int descriptor = fileno(file);
  if (descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode))
    capture.bytes_total_ = static_cast<std::uint64_t>(status.st_size);

  const auto fail = [&](const std::string& what) {
    if (!capture.pcap_ && file != stdin) std::fclose(file);
    return std::unexpected(fmt::format("{}: {}", name, what));
  };
  errno = 0;
  const int first = peek(file);
  if (first == EOF && std::ferror(file) != 0)
    return fail(fmt::format("cannot be read: {}", std::strerror(errno)));
  if (first == EOF) return fail("is empty: a capture has at least a file header of 24 bytes");
  if (first == 0x1f || first == 0xfd)  // gzip, xz
    return fail(
        "looks compressed: decompress it first, for example with "
        "`zcat FILE | steer-replay --ingress - ...`");
  char reason[PCAP_ERRBUF_SIZE] = "";
  pcap_t* const pcap =
      pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, reason);
  if (pcap == nullptr) return fail(fmt::format("is not a capture that libpcap reads: {}", reason));
  capture.pcap_.reset(pcap);
  if (pcap_datalink(pcap) != DLT_EN10MB)
    return fail(fmt::format("has {}; only Ethernet (link type 1) can be replayed",
                            describe_link_type(pcap_datalink(pcap))));
  return capture;
}

Capture::End Capture::read(pcap_handler packet, void* user) {
  switch (pcap_loop(pcap_.get(), -1, packet, static_cast<u_char*>(user))) {
    case 0:
      return End::complete;
    case PCAP_ERROR_BREAK:
      return End::stopped;
    default:
      return End::broken;
  }
}

void Capture::stop() noexcept {
  pcap_breakloop(pcap_.get());
}

std::string Capture::error() const {
  return pcap_geterr(pcap_.get());
}

std::uint64_t Capture::bytes_read() const noexcept {
  const off_t at = ftello(pcap_file(pcap_.get()));
  return at < 0 ? 0 : static_cast<std::uint64_t>(at);
}

}  // namespace control::replay
