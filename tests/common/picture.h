/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/frame.h"

/*
 * Test pictures in any format, colorimetry, size and stride, made by
 * GStreamer's converter, each with what the same converter says it looks
 * like in RGB: what an encoder's output is compared with.
 */

typedef enum {
  TEST_PATTERN_BARS,        /* eight colours side by side, then a black row */
  TEST_PATTERN_GREY_RAMP,   /* black to white, left to right */
  TEST_PATTERN_COLOUR_RAMP, /* red and blue against x, green with y */
  TEST_PATTERN_FLAT,        /* one colour */
} TestPattern;

typedef struct {
  const char *format;      /* as caps have it: "NV12" */
  const char *colorimetry; /* as caps have it: "bt709"; NULL: the default */
  TestPattern pattern;
  int width, height;
  int padding;          /* bytes behind each row */
  uint32_t flat_colour; /* 0xRRGGBB, of TEST_PATTERN_FLAT */
} TestPicture;

#define TEST_PICTURE_LIMITED_601 "bt601"
#define TEST_PICTURE_LIMITED_709 "bt709"
#define TEST_PICTURE_FULL_601 "1:4:7:1"
#define TEST_PICTURE_FULL_709 "1:3:5:1"

/*
 * Makes the frame; each plane lies in memory of exactly its size, so that
 * sanitizers see a read too far. @ret_rgb (optional): 3 * width * height
 * bytes. Returns: (transfer full).
 */
VigilFrame *test_picture_new (const TestPicture *self, GBytes **ret_rgb);

/* For messages of failed comparisons. Returns: (transfer full). */
char *test_picture_describe (const TestPicture *self);

typedef struct {
  int largest;
  double mean;
  int x, y; /* where the largest is */
} TestDifference;

/*
 * Compares two RGB pictures of the size of @self. Pixels within @margin of
 * one that differs by more than 32 in the first picture are left out: beside
 * a hard edge the result depends on how chroma is interpolated, which is no
 * question of right or wrong colours.
 */
TestDifference test_picture_compare (const TestPicture *self,
    const uint8_t *rgb, const uint8_t *other, int margin);
