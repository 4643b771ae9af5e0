/* SPDX-License-Identifier: Apache-2.0 */

/* The program: finds the subcommand and runs it. */

#include "app/commands.h"

#include <glib.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

typedef struct {
  const char *name;
  int (*run) (int argc, char **argv);
  const char *summary;
} Command;

static const Command commands[] = {
    {"serve", vigil_cmd_serve, "run pipelines and publish what they see"},
    {"check-config", vigil_cmd_check_config,
        "say all that is wrong with a configuration"},
    {"subscribe", vigil_cmd_subscribe, "show what is published"},
    {"certs", vigil_cmd_certs, "make certificates for a broker and vigil"},
    {"list", vigil_cmd_list, "list the pipelines of a running server"},
    {"start", vigil_cmd_start, "start an instance of a pipeline there"},
    {"status", vigil_cmd_status, "tell how its instances do"},
    {"stop", vigil_cmd_stop, "stop instances there"},
};

static void
print_usage (FILE *stream)
{
  fputs ("Usage: vigil COMMAND [OPTION...]\n\nCommands:\n", stream);
  for (size_t index = 0; index < G_N_ELEMENTS (commands); index++)
    fprintf (
        stream, "  %-14s %s\n", commands[index].name, commands[index].summary);
  fputs ("\n'vigil COMMAND --help' tells the options of a command; "
         "'vigil --version' the version.\n",
      stream);
}

static const Command *
find_command (const char *name)
{
  for (size_t index = 0; index < G_N_ELEMENTS (commands); index++)
    if (strcmp (name, commands[index].name) == 0)
      return &commands[index];
  return NULL;
}

int
main (int argc, char **argv)
{
  const Command *command;
  g_autofree char *program_name = NULL;

  setlocale (LC_ALL, "");
  /* Numbers in configuration and messages have a point everywhere. */
  setlocale (LC_NUMERIC, "C");
  if (argc < 2) {
    print_usage (stderr);
    return EX_USAGE;
  }
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0 ||
      strcmp (argv[1], "help") == 0) {
    print_usage (stdout);
    return EX_OK;
  }
  if (strcmp (argv[1], "--version") == 0) {
    puts ("vigil " VIGIL_VERSION);
    return EX_OK;
  }
  command = find_command (argv[1]);
  if (command == NULL) {
    fprintf (stderr,
        "vigil: '%s' is no command of vigil; "
        "'vigil --help' lists them\n",
        argv[1]);
    return EX_USAGE;
  }
  program_name = g_strconcat ("vigil ", command->name, NULL);
  g_set_prgname (program_name);
  return command->run (argc - 1, argv + 1);
}
