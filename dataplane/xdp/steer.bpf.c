// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
//
// Who gets a frame: the socket of its queue, and so a worker, or the kernel. The rows of section 2 of
// the semantics whose outcome is `kernel` are decided here, as dataplane/steer.cpp decides them; all
// else is redirected, malformed packets too, because the worker counts them by reason.
//
// There is no policy in here: the loader fills `config` from the port and the table, and `blocks` and
// `longer` from the onboarded prefixes, local scope and the host's addresses.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "layout.h"

// libxdp (the AF_XDP driver of DPDK) reuses a program that it finds attached if it has this version,
// the name xsk_def_prog and a map xsks_map.
__uint(xsk_prog_version, 1) SEC("xdp_metadata");

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 1024);  // queues of an interface
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, STEER_BLOCK_WORDS);
	__type(key, __u32);
	__type(value, __u64);
} blocks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct steer_lengths);
} lengths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, STEER_FILTER_WORDS);
	__type(key, __u32);
	__type(value, __u64);
} filter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);  // the loader's to say: its own map takes the place of this one
	__type(key, struct steer_prefix);
	__type(value, __u32);
} longer SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STEER_OUTCOMES);
	__type(key, __u32);
	__type(value, struct steer_volume);
} counters SEC(".maps");

struct steer_config config;

// Of the longest prefix of `longer` that contains the address; `other` where none does.
static __always_inline __u32 state_in_longer(__u32 family, __u64 high, __u64 low, __u32 other)
{
	__u32 zero = 0;
	struct steer_lengths *used = bpf_map_lookup_elem(&lengths, &zero);
	if (!used)
		return other;
	struct steer_prefix prefix = {.family = family};
	for (__u32 word = 0; word < 2; word++) {
		__u64 left = used->words[family][word];
		// Of 64 lengths at most; the longest is the lowest bit.
		for (int i = 0; i < 64 && left; i++, left &= left - 1) {
			__u64 length = left & -left;
			prefix.word = word;
			prefix.length = length;
			prefix.high = word ? high & -length : high;
			prefix.low = word ? 0 : low & -length;
			__u32 bit = steer_filter_bit(&prefix), index = bit / 64;
			__u64 *bits = bpf_map_lookup_elem(&filter, &index);
			if (!bits || !(*bits >> bit % 64 & 1))
				continue;
			__u32 *state = bpf_map_lookup_elem(&longer, &prefix);
			if (state)
				return *state;
		}
	}
	return other;
}

static __always_inline __u32 state_of(__u32 family, __u64 high, __u64 low)
{
	__u32 block = family << STEER_BLOCK_BITS | high >> (64 - STEER_BLOCK_BITS);
	__u32 index = block / STEER_BLOCKS_PER_WORD;
	__u64 *word = bpf_map_lookup_elem(&blocks, &index);
	if (!word)
		return 0;
	__u32 state = *word >> block % STEER_BLOCKS_PER_WORD * 4 & 15;
	if (state & STEER_MIXED)
		state = state_in_longer(family, high, low, state & ~STEER_MIXED);
	return state & 15;
}

// A duty of the host, whatever address it is sent to. RFC 4861 section 7.1: with another hop limit it
// came through a router. Extension headers are walked as parse_transport() does, 8 at most.
static __always_inline int is_neighbour_discovery(const struct ipv6hdr *ip, void *end)
{
	if (ip->hop_limit != 255)
		return 0;
	__u8 next = ip->nexthdr;
	__u32 offset = sizeof(*ip), size = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	for (int visited = 0; visited <= 8; visited++) {
		const __u8 *header = (const __u8 *)ip + offset;
		if (next == 58)  // ICMPv6
			return offset < size && (void *)(header + 1) <= end && header[0] >= 133 && header[0] <= 137;
		if (next != 0 && next != 43 && next != 44 && next != 51 && next != 60)
			return 0;
		if (offset + 8 > size || (void *)(header + 8) > end)
			return 0;
		__u32 length = 8;
		if (next == 51)  // RFC 4302
			length = (header[1] + 2) * 4;
		else if (next != 44)
			length = (header[1] + 1) * 8;
		else if (header[2] || header[3] & 0xf9)  // a real fragment
			return 0;
		next = header[0];
		offset += length;
		if (offset > size)
			return 0;
	}
	return 0;
}

static __always_inline __u64 half(const struct in6_addr *address, int i)
{
	return (__u64)bpf_ntohl(address->in6_u.u6_addr32[i]) << 32 |
	       bpf_ntohl(address->in6_u.u6_addr32[i + 1]);
}

static __always_inline __u32 decide(void *data, void *end)
{
	const struct ethhdr *ethernet = data;
	if ((void *)(ethernet + 1) > end)
		return STEER_REDIRECTED;  // malformed
	__be16 type = ethernet->h_proto;
	const __be16 *tag = (const void *)(ethernet + 1);
	__u32 vlan = 0;
	for (int tags = 0; tags < 2; tags++) {
		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 2) > end)
			return STEER_REDIRECTED;  // malformed
		if (tags == 0)
			vlan = bpf_ntohs(tag[0]) & 0xfff;
		type = tag[1];
		tag += 2;
	}

	__u32 role = config.roles[vlan] & 3, state;
	if (type == bpf_htons(ETH_P_IP)) {
		const struct iphdr *ip = (const void *)tag;
		if ((void *)(ip + 1) > end)
			return STEER_REDIRECTED;  // malformed
		__u32 length = bpf_ntohs(ip->tot_len);
		if (ip->version != 4 || ip->ihl < 5 || ip->ihl * 4 > length || length > end - (void *)ip)
			return STEER_REDIRECTED;  // malformed
		if (role == STEER_ROLE_NONE)
			return STEER_NO_ROLE;
		state = state_of(STEER_IPV4, (__u64)bpf_ntohl(ip->daddr) << 32, 0);
		return config.outcomes[role][state];
	}
	if (type == bpf_htons(ETH_P_IPV6)) {
		const struct ipv6hdr *ip = (const void *)tag;
		if ((void *)(ip + 1) > end)
			return STEER_REDIRECTED;  // malformed
		// The payload length of a jumbogram is 0; its option is for the worker to judge.
		if (ip->version != 6 || bpf_ntohs(ip->payload_len) > end - (void *)(ip + 1))
			return STEER_REDIRECTED;  // malformed
		if (role == STEER_ROLE_NONE)
			return STEER_NO_ROLE;
		state = state_of(STEER_IPV6, half(&ip->daddr, 0), half(&ip->daddr, 2));
		if (!(state & (STEER_LOCAL | STEER_HOST)) && is_neighbour_discovery(ip, end))
			return STEER_NEIGHBOUR_DISCOVERY;
		return config.outcomes[role][state];
	}
	return STEER_NOT_IP;
}

SEC("xdp")
int xsk_def_prog(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 outcome = decide(data, end);
	int action = XDP_PASS;
	if (outcome == STEER_REDIRECTED) {
		action = bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
		if (action != XDP_REDIRECT)
			outcome = STEER_NO_SOCKET;
	}
	struct steer_volume *volume = bpf_map_lookup_elem(&counters, &outcome);
	if (volume) {
		volume->packets++;
		volume->bytes += end - data;
	}
	return action;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
