// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay/verdict_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "dataplane/parse.hpp"

namespace control::replay {
namespace {

using dataplane::Network;

std::string destination_of(const Record& record) {
  const dataplane::Frame frame = record.frame();
  const dataplane::Parsed parsed = parse(frame);
  const std::uint8_t* const ip = frame.bytes + parsed.ip_offset;
  switch (parsed.network) {
    case Network::ipv4:
      return to_string(lpm::Address4::from_wire(ip + dataplane::kIpv4Destination));
    case Network::ipv6:
      return to_string(lpm::Address6::from_wire(ip + dataplane::kIpv6Destination));
    case Network::none:
      break;
  }
  return "-";
}

// Names of files may hold what separates columns and lines here.
std::vector<std::string> escaped(std::vector<std::string> names) {
  for (std::string& name : names) {
    std::string safe;
    for (const char c : name) {
      if (c == '\t')
        safe += "\\t";
      else if (c == '\n')
        safe += "\\n";
      else if (c == '\\')
        safe += "\\\\";
      else
        safe += c;
    }
    name = safe;
  }
  return names;
}

}  // namespace

VerdictFile::VerdictFile(std::string path, std::vector<std::string> captures,
                         const std::vector<Binding>& bindings)
    : path_(std::move(path)),
      captures_(escaped(std::move(captures))),
      bindings_(bindings),
      file_(std::fopen(path_.c_str(), "we")) {
  if (!file_)
    throw std::runtime_error(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
  std::fputs("capture\tpacket\tdirection\toutcome\treason\tdestination\tbinding\n", file_.get());
}

void VerdictFile::write(const Block& block) {
  errno = 0;
  std::uint64_t packet = block.origin().first_packet;
  const Record* record = block.first();
  for (std::size_t i = 0; i < block.packets(); ++i, record = next_of(record))
    write_line(block.origin(), packet++, *record);
  check(false);
}

void VerdictFile::write_line(const Block::Origin& origin, std::uint64_t packet,
                             const Record& record) {
  const auto [outcome, reason] = info_of(record.decision.verdict);
  const bool is_egress = origin.direction == dataplane::Direction::egress;
  const std::uint32_t binding = record.decision.match.binding();
  const bool is_named = binding != 0 && outcome != dataplane::Outcome::drop;
  fmt::memory_buffer line;
  fmt::format_to(std::back_inserter(line), "{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
                 captures_[origin.capture], packet, is_egress ? "egress" : "ingress",
                 name_of(outcome), reason, destination_of(record),
                 is_named ? to_string(bindings_[binding].cidr) : "-");
  std::fwrite(line.data(), 1, line.size(), file_.get());
}

void VerdictFile::check(bool failed) const {
  if (!failed && std::ferror(file_.get()) == 0) return;
  throw std::runtime_error(
      fmt::format("{}: cannot be written: {}", path_, std::strerror(errno == 0 ? EIO : errno)));
}

void VerdictFile::close() {
  errno = 0;
  check(std::fflush(file_.get()) != 0);
  file_.reset();
}

}  // namespace control::replay
