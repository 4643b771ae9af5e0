/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The subcommands of the program: each gets its own name as argv[0] and
 * returns an exit status of sysexits(3). One line in main.c makes one
 * known.
 */
int vigil_cmd_certs (int argc, char **argv);
int vigil_cmd_serve (int argc, char **argv);
int vigil_cmd_start (int argc, char **argv);
int vigil_cmd_stop (int argc, char **argv);
int vigil_cmd_list (int argc, char **argv);
int vigil_cmd_status (int argc, char **argv);
int vigil_cmd_check_config (int argc, char **argv);
int vigil_cmd_subscribe (int argc, char **argv);
