// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/dpdk/device.hpp"

#include <fmt/format.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <thread>
#include <utility>

namespace dataplane::dpdk {
namespace {

std::string text_of(int error) {
  return rte_strerror(std::abs(error));
}

std::uint64_t rss_functions(DeviceOptions::Rss rss, std::uint64_t of_device) {
  constexpr std::uint64_t kL3 = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_IPV6 |
                                RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER |
                                RTE_ETH_RSS_NONFRAG_IPV6_OTHER | RTE_ETH_RSS_IPV6_EX;
  const std::uint64_t wanted = rss == DeviceOptions::Rss::l3
                                   ? kL3
                                   : kL3 | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP;
  return wanted & of_device;
}

}  // namespace

Device::Device(std::string name, bool is_made)
    : name_(std::move(name)), number_(RTE_MAX_ETHPORTS), is_made_(is_made) {
  // EAL says nothing of a device that failed: it is silently missing.
  if (rte_eth_dev_get_port_by_name(name_.c_str(), &number_) != 0)
    throw DeviceError("device " + name_ + " is not there: see the messages of its driver above");
}

Device Device::make(const std::string& arguments) {
  std::string name = arguments.substr(0, arguments.find(','));
  std::uint16_t number = 0;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &number) == 0)
    throw DeviceError("device " + name + " is given twice");
  if (const int error = rte_dev_probe(arguments.c_str()); error != 0)
    throw DeviceError("device " + name + " could not be made (" + text_of(error) +
                      "), with the arguments: " + arguments);
  return {std::move(name), true};
}

Device Device::find(const std::string& name) {
  return {name, false};
}

Device::Device(Device&& other) noexcept
    : name_(std::move(other.name_)),
      number_(std::exchange(other.number_, static_cast<std::uint16_t>(RTE_MAX_ETHPORTS))),
      is_made_(other.is_made_),
      is_started_(other.is_started_) {}

Device::~Device() {
  if (number_ == RTE_MAX_ETHPORTS) return;
  stop();
  rte_device* device = nullptr;
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(number_, &info) == 0) device = info.device;
  rte_eth_dev_close(number_);
  if (is_made_ && device != nullptr) rte_dev_remove(device);
}

void Device::fail(const std::string& what, int error) const {
  throw DeviceError("device " + name_ + ": " + what + " (" + text_of(error) + ")");
}

void Device::configure(const DeviceOptions& options, rte_mempool& pool) {
  rte_eth_dev_info info{};
  if (const int error = rte_eth_dev_info_get(number_, &info); error != 0)
    fail("tells nothing of itself", error);
  if (options.rx_queues > info.max_rx_queues || options.tx_queues > info.max_tx_queues)
    throw DeviceError(fmt::format(
        "device {} has {} receive and {} transmit queues; {} and {} are needed: lower workers, or "
        "give queues= or a device with more",
        name_, info.max_rx_queues, info.max_tx_queues, options.rx_queues, options.tx_queues));

  rte_eth_conf conf{};
  conf.rxmode.mtu = options.mtu;
  const std::uint64_t functions = rss_functions(options.rss, info.flow_type_rss_offloads);
  if (options.rx_queues > 1 && functions != 0) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = functions;
  }
  // No VLAN stripping, no LRO: a packet leaves as it came.
  conf.rxmode.offloads =
      info.rx_offload_capa & (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_SCATTER);
  conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  if (const int error = rte_eth_dev_configure(number_, options.rx_queues, options.tx_queues, &conf);
      error != 0)
    fail("cannot be configured", error);
  if (options.mtu != 0)
    if (const int error = rte_eth_dev_set_mtu(number_, static_cast<std::uint16_t>(options.mtu));
        error != 0)
      fail(fmt::format("cannot have an MTU of {}", options.mtu), error);

  std::uint16_t rx_descriptors = options.descriptors;
  std::uint16_t tx_descriptors = options.descriptors;
  rte_eth_dev_adjust_nb_rx_tx_desc(number_, &rx_descriptors, &tx_descriptors);
  const auto socket = static_cast<unsigned>(std::max(rte_eth_dev_socket_id(number_), 0));
  rte_eth_rxconf rx = info.default_rxconf;
  rx.offloads = conf.rxmode.offloads;
  for (std::uint16_t queue = 0; queue < options.rx_queues; ++queue) {
    const auto set_up = [&] {
      return rte_eth_rx_queue_setup(number_, queue, rx_descriptors, socket, &rx, &pool);
    };
    int error = set_up();
    // The kernel lets go of a queue some time after the process that had an AF_XDP socket there is
    // gone: a daemon that is started again at once may be too early.
    constexpr int kAttempts = 100;
    const bool is_shared = std::string_view(info.driver_name) == "net_af_xdp";
    for (int attempt = 1; error != 0 && is_shared && attempt < kAttempts; ++attempt) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      error = set_up();
    }
    if (error != 0) fail(fmt::format("receive queue {} cannot be set up", queue), error);
  }
  rte_eth_txconf tx = info.default_txconf;
  tx.offloads = conf.txmode.offloads;
  for (std::uint16_t queue = 0; queue < options.tx_queues; ++queue)
    if (const int error = rte_eth_tx_queue_setup(number_, queue, tx_descriptors, socket, &tx);
        error != 0)
      fail(fmt::format("transmit queue {} cannot be set up", queue), error);
  // Neighbour discovery comes to multicast addresses. Devices that filter nothing refuse.
  if (options.all_multicast) rte_eth_allmulticast_enable(number_);
}

void Device::start() {
  if (const int error = rte_eth_dev_start(number_); error != 0) fail("does not start", error);
  is_started_ = true;
}

void Device::stop() noexcept {
  if (!std::exchange(is_started_, false)) return;
  rte_eth_dev_stop(number_);
}

MacAddress Device::mac() const {
  rte_ether_addr address{};
  rte_eth_macaddr_get(number_, &address);
  MacAddress mac{};
  std::memcpy(mac.data(), address.addr_bytes, mac.size());
  return mac;
}

std::uint32_t Device::mtu() const {
  std::uint16_t mtu = RTE_ETHER_MTU;
  rte_eth_dev_get_mtu(number_, &mtu);
  return mtu;
}

bool Device::is_up() const {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(number_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

DeviceCounters Device::counters() const {
  rte_eth_stats stats{};
  if (rte_eth_stats_get(number_, &stats) != 0) return {};
  return {.received = stats.ipackets,
          .received_bytes = stats.ibytes,
          .sent = stats.opackets,
          .sent_bytes = stats.obytes,
          .missed = stats.imissed,
          .errors = stats.ierrors,
          .no_buffer = stats.rx_nombuf,
          .send_errors = stats.oerrors};
}

std::vector<int> af_xdp_sockets() {
  constexpr int kAfXdp = 44;
  std::vector<int> sockets;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const std::string name = entry.path().filename().string();
    int descriptor = -1;
    std::from_chars(name.data(), name.data() + name.size(), descriptor);
    int domain = 0;
    socklen_t size = sizeof domain;
    if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == kAfXdp)
      sockets.push_back(descriptor);
  }
  std::ranges::sort(sockets);
  return sockets;
}

}  // namespace dataplane::dpdk
