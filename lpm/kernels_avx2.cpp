// SPDX-License-Identifier: BSD-3-Clause
#define LPM_KERNELS kAvx2Kernels
#define LPM_KERNELS_NAME "avx2"
#include "lpm/kernels.inc"
