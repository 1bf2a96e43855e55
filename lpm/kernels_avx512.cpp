// SPDX-License-Identifier: BSD-3-Clause
#define LPM_KERNELS kAvx512Kernels
#define LPM_KERNELS_NAME "avx512"
#include "lpm/kernels.inc"
