// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pcap/pcap.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <expected>
#include <memory>
#include <string>

namespace control::replay {

// A capture file open for reading: pcap or pcapng, any byte order, micro- or nanoseconds, Ethernet.
// Not thread safe.
class Capture {
 public:
  // path: a file, or "-" for standard input. The error names the path and what is wrong with it: no
  // such file, empty, not a capture, compressed, a link type other than Ethernet.
  [[nodiscard]] static std::expected<Capture, std::string> open(const std::string& path);
  // The same, over bytes that are in memory; `name` stands for the path in errors.
  [[nodiscard]] static std::expected<Capture, std::string> open(std::FILE* file,
                                                                const std::string& name);

  enum class End {
    complete,  // every packet was read
    stopped,   // by stop()
    broken,    // the file breaks off or cannot be understood; see error()
  };
  // Reads to the end and calls `packet` with `user` for each packet, which is valid during the
  // call; header->ts.tv_usec holds nanoseconds.
  End read(pcap_handler packet, void* user);
  // Ends read() after the packet under way. For use inside of the callback, or in a signal handler.
  void stop() noexcept;

  // Why read() ended as broken.
  [[nodiscard]] std::string error() const;
  // Bytes read so far, and in all. Both 0 if unknown (a pipe). For a progress bar.
  [[nodiscard]] std::uint64_t bytes_read() const noexcept;
  [[nodiscard]] std::uint64_t bytes_total() const noexcept { return bytes_total_; }

 private:
  struct ClosePcap {
    void operator()(pcap_t* pcap) const noexcept { pcap_close(pcap); }
  };

  Capture() = default;

  // In this order: libpcap closes the file, which uses the buffer.
  std::unique_ptr<char[]> buffer_;
  std::unique_ptr<pcap_t, ClosePcap> pcap_;
  std::uint64_t bytes_total_ = 0;
};

}  // namespace control::replay
