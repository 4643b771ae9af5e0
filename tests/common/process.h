/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A program that a test runs. What it writes to standard output and to
 * standard error goes into one file, its log. It dies with the test.
 */
typedef struct _VigilProcess VigilProcess;

/* Starts @argv; @environment: (nullable) the test's own. @log_path: the
 * file is made, or emptied. */
VigilProcess *vigil_process_start (const char *const *argv,
    const char *const *environment, const char *log_path);
/* Kills it if it still runs. NULL is allowed. */
void vigil_process_free (VigilProcess *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilProcess, vigil_process_free)

pid_t vigil_process_get_pid (const VigilProcess *self);
/* SIGSTOP, SIGCONT, SIGTERM ... */
void vigil_process_signal (VigilProcess *self, int number);
/* SIGSTOP. Returns when it stands still. */
void vigil_process_freeze (VigilProcess *self);
/* Waits for the end. Returns: FALSE when it still runs after @milliseconds.
 * @ret_status: (nullable) as of waitpid. */
gboolean vigil_process_wait (
    VigilProcess *self, unsigned milliseconds, int *ret_status);
/* SIGKILL, and waits for the end. */
void vigil_process_kill (VigilProcess *self);
gboolean vigil_process_is_running (VigilProcess *self);

/* What it has written so far. Returns: (transfer full). */
char *vigil_process_read_log (const VigilProcess *self);
/* Waits until @text has been written @count times. Returns: FALSE when it
 * has not after @milliseconds, or the program has ended without it. */
gboolean vigil_process_wait_log (VigilProcess *self, const char *text,
    unsigned count, unsigned milliseconds);
/* Waits until @address takes connections at @port. Returns: FALSE when it
 * does not after @milliseconds, or the program has ended. */
gboolean vigil_process_wait_port (VigilProcess *self, const char *address,
    uint16_t port, unsigned milliseconds);
