// SPDX-License-Identifier: BSD-3-Clause
#define LPM_KERNELS kPortableKernels
#define LPM_KERNELS_NAME "portable"
#include "lpm/kernels.inc"
