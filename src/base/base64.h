/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* Characters that base64 of @size bytes takes, padding included (RFC 4648
 * section 4); no terminator. */
#define VIGIL_BASE64_LENGTH(size) ((((size) + 2) / 3) * 4)

/*
 * Writes the standard base64 of @data to @out, which must have room for
 * VIGIL_BASE64_LENGTH (@size) characters; no terminator is written. Picks
 * AVX2 at run time where the processor has it. Any thread.
 * Returns: the characters written.
 */
size_t vigil_base64_encode (const void *data, size_t size, char *out);

/* The same without special instructions: what other processors run, and
 * what tests and benchmarks compare with. */
size_t vigil_base64_encode_portable (const void *data, size_t size, char *out);
