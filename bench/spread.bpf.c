// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
//
// For xdp_bench: gives the frame that a run repeats another destination each time, and hands it to
// the program under test.
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} next SEC(".maps");

static __always_inline int hand_on(struct xdp_md *ctx, __u32 offset, __u32 first, __u32 count)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	if (data + offset + 4 <= end)
		*(__be32 *)(data + offset) = bpf_htonl(first + bpf_get_prandom_u32() % count);
	bpf_tail_call(ctx, &next, 0);
	return XDP_ABORTED;
}

// 1.0.0.0 to 126.255.255.255
SEC("xdp")
int spread4(struct xdp_md *ctx)
{
	return hand_on(ctx, 14 + 16, 0x01000000, 0x7e000000);
}

// 2000::/3
SEC("xdp")
int spread6(struct xdp_md *ctx)
{
	return hand_on(ctx, 14 + 24, 0x20000000, 0x20000000);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
