/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
 *
 * What the program (steer.bpf.c) and its loader agree on. C, because both include it.
 */
#ifndef DATAPLANE_XDP_LAYOUT_H
#define DATAPLANE_XDP_LAYOUT_H

#include <linux/types.h>

/* What becomes of one frame; a counter belongs to each. All but the first are the kernel's. */
enum steer_outcome {
	STEER_REDIRECTED,          /* to the socket of its queue, and so to a worker */
	STEER_NO_SOCKET,           /* would have been redirected, but the queue has no socket */
	STEER_NOT_IP,              /* the others are named after the verdicts kernel_... of steer() */
	STEER_NO_ROLE,
	STEER_LOCAL_SCOPE,
	STEER_HOST_ADDRESS,
	STEER_NEIGHBOUR_DISCOVERY,
	STEER_EGRESS_UNKNOWN,
	STEER_UNMATCHED,
	STEER_OUTCOMES
};

/* What is known of a destination: bits of a nibble. 0: nothing. */
enum steer_state {
	STEER_STEERED = 1,         /* inside an onboarded prefix that has its default binding */
	STEER_PENDING = 2,         /* inside an onboarded prefix that has none yet */
	STEER_LOCAL = 4,           /* multicast, link-local, loopback, limited broadcast */
	STEER_HOST = 8             /* an address of the host itself; only in `longer` */
};

/* In `blocks`, where no block is a host address: there are longer prefixes in this block. What none
 * of them contains has the state in the other bits: one load tells both, so that a packet never sees
 * half of a change.
 */
#define STEER_MIXED 8

enum steer_role { STEER_ROLE_NONE, STEER_ROLE_INGRESS, STEER_ROLE_EGRESS };

enum steer_family { STEER_IPV4, STEER_IPV6 };

/* Map `blocks`: a state for every block of addresses that have the first 24 bits in common, IPv4
 * before IPv6, 16 to an element, the first in the lowest bits.
 */
#define STEER_BLOCK_BITS 24
#define STEER_BLOCKS_PER_WORD 16
#define STEER_BLOCK_WORDS ((2U << STEER_BLOCK_BITS) / STEER_BLOCKS_PER_WORD)

/* Map `longer`: the state of prefixes of more than 24 bits and of host addresses. An address is 128 bits
 * in two numbers; IPv4 has the first 32 of them. Length L is bit (128 - L) % 64 of word
 * (128 - L) / 64, which makes the bit's negative the mask of the address's number.
 */
struct steer_prefix {
	__u64 high, low;
	__u64 length;              /* that bit alone */
	__u32 family, word;
};

/* Map `lengths`, one element: which lengths `longer` has. */
struct steer_lengths {
	__u64 words[2][2];         /* [steer_family][word] */
};

/* Map `filter`: a bit for every entry of `longer`, which may have it in common with others. Where it is
 * not set there is no such entry, and a look in `longer` is saved: a fraction of its cost.
 */
#define STEER_FILTER_BITS 20
#define STEER_FILTER_WORDS (1U << (STEER_FILTER_BITS - 6))

/* Multiplicative hashing (Knuth, The Art of Computer Programming, volume 3, section 6.4). */
static inline __u64 steer_filter_bit(const struct steer_prefix *prefix)
{
	const __u64 golden = 0x9e3779b97f4a7c15;
	__u64 sum = prefix->high + (prefix->low ^ prefix->length) * golden + prefix->family + prefix->word;
	return sum * golden >> (64 - STEER_FILTER_BITS);
}

/* One interface's configuration. Its loader writes it at any time, byte by byte. */
struct steer_config {
	__u8 roles[4096];          /* steer_role by VLAN; 0: untagged and priority-tagged frames */
	__u8 outcomes[4][16];      /* steer_outcome by steer_role and steer_state */
};

struct steer_volume {
	__u64 packets, bytes;
};

#endif
