// SPDX-License-Identifier: Apache-2.0
// malloc(3) and its kin for swrunc: see heap.c. There is nothing to call by another name.
#pragma once
