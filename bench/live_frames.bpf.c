// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
//
// For live_frames: sends the frame that a test run repeats out of an interface, each time with the
// next source port and the next of a few destinations.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 interface = 0;
const volatile __u32 first_destination = 0;
const volatile __u32 destinations = 1;
const volatile __u32 checksum_without_destination = 0;  // a sum, not folded

__u64 sent = 0;

SEC("xdp")
int feed(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct udphdr *udp = (void *)(ip + 1);
	if ((void *)(udp + 1) > end)
		return XDP_DROP;
	__u64 number = sent++;
	__u32 destination = first_destination + number % destinations;
	__u32 sum = checksum_without_destination + (destination >> 16) + (destination & 0xffff);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->daddr = bpf_htonl(destination);
	ip->check = bpf_htons(~sum & 0xffff);
	udp->source = bpf_htons(1024 + (number & 0x7fff));
	return bpf_redirect(interface, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
